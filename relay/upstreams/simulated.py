"""The built-in simulator as an upstream: it may be told to misbehave, and knows our request ids."""

from dataclasses import dataclass, field

import httpx

from relay.upstreams.base import ANY_VERSION, NO_SIGNATURE, Outbound, described, forwarded_headers

_INSTRUCTIONS = b"x-tollgate-simulator-"
_REQUEST_ID = b"x-tollgate-simulator-request-id"


@dataclass(frozen=True, slots=True)
class Simulated:
    """`base_url` is where the simulator listens. It takes any credential."""

    base_url: str
    is_simulated = True
    _messages_url: httpx.URL = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_messages_url", httpx.URL(self.base_url.rstrip("/") + "/v1/messages"))

    @property
    def auth(self) -> httpx.Auth:
        return NO_SIGNATURE

    def models(self) -> httpx.Request:
        headers = [ANY_VERSION, (b"x-api-key", b"simulator")]
        return httpx.Request("GET", self.base_url.rstrip("/") + "/v1/models", headers=headers)

    def messages(self, outbound: Outbound) -> httpx.Request:
        headers = forwarded_headers(outbound.headers)
        headers += [
            header for header in outbound.headers if header[0].startswith(_INSTRUCTIONS) and header[0] != _REQUEST_ID
        ]
        headers += [(b"x-api-key", b"simulator"), (_REQUEST_ID, outbound.request_id.encode())]
        return described(self._messages_url, headers, outbound.body)
