"""The Claude API, and any other engine that speaks its Messages API: the request goes on as it came."""

from dataclasses import dataclass, field

import httpx

from relay.upstreams.base import ANY_VERSION, NO_SIGNATURE, HeaderList, Outbound, described, forwarded_headers


@dataclass(frozen=True, slots=True)
class Anthropic:
    """`base_url` is the address in front of `/v1`; its credential goes into `x-api-key`, if it has one."""

    base_url: str
    credential: str = field(default="", repr=False)
    is_simulated = False
    _messages_url: httpx.URL = field(init=False, repr=False)
    _credentials: HeaderList = field(init=False, repr=False)

    def __post_init__(self) -> None:
        url = httpx.URL(self.base_url.rstrip("/") + "/v1/messages")
        object.__setattr__(self, "_messages_url", url)
        object.__setattr__(self, "_credentials", [(b"x-api-key", self.credential.encode())] if self.credential else [])

    @property
    def auth(self) -> httpx.Auth:
        return NO_SIGNATURE

    def models(self) -> httpx.Request:
        return httpx.Request("GET", self.base_url.rstrip("/") + "/v1/models", headers=[ANY_VERSION, *self._credentials])

    def messages(self, outbound: Outbound) -> httpx.Request:
        return described(self._messages_url, forwarded_headers(outbound.headers) + self._credentials, outbound.body)
