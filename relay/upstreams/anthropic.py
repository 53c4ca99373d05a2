"""The Claude API, and any other engine that speaks its Messages API: the request goes on as it came."""

from dataclasses import dataclass, field

import httpx

from relay.upstreams.base import HeaderAuth, NoAuth, Outbound, described, forwarded_headers


@dataclass(frozen=True, slots=True)
class Anthropic:
    """`base_url` is the address in front of `/v1`; without a credential nothing is signed."""

    base_url: str
    credential: str = field(default="", repr=False)
    is_simulated = False
    _messages_url: httpx.URL = field(init=False, repr=False)
    _auth: httpx.Auth = field(init=False, repr=False)

    def __post_init__(self) -> None:
        url = httpx.URL(self.base_url.rstrip("/") + "/v1/messages")
        object.__setattr__(self, "_messages_url", url)
        object.__setattr__(self, "_auth", HeaderAuth("x-api-key", self.credential) if self.credential else NoAuth())

    @property
    def auth(self) -> httpx.Auth:
        return self._auth

    def messages(self, outbound: Outbound) -> httpx.Request:
        return described(self._messages_url, forwarded_headers(outbound.headers), outbound.body)
