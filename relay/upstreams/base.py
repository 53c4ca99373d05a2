"""What every upstream offers: it describes requests. Sending, signing and measuring happen elsewhere."""

from dataclasses import dataclass
from typing import Protocol

import httpx

HeaderList = list[tuple[bytes, bytes]]

_DROPPED = frozenset(
    {
        # hop by hop (RFC 9110, section 7.6.1), and what the transport writes itself
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"expect",
        b"host",
        b"content-length",
        b"accept-encoding",
        b"content-encoding",
        # credentials and identities of the caller, which are ours and not the upstream's
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"cookie",
        b"proxy-authorization",
        b"anthropic-workspace-id",
        b"anthropic-organization-id",
        # where the caller is
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"origin",
        b"referer",
    }
)
_DROPPED_PREFIXES = (b"x-forwarded-", b"x-tollgate-", b"sec-", b"cf-", b"proxy-")
_OUR_KEYS = b"sk-toll-"


@dataclass(frozen=True, slots=True)
class Outbound:
    """A call as an adapter sees it: the caller's headers and the body that goes on."""

    headers: HeaderList
    body: bytes
    request_id: str
    model: str
    is_stream: bool


class Adapter(Protocol):
    """One kind of upstream. Adapters hold addresses and credentials, never sockets, settings or a database."""

    is_simulated: bool

    @property
    def auth(self) -> httpx.Auth:
        """Signs what this adapter describes, where a credential is more than one more header."""

    def models(self) -> httpx.Request:
        """Describe a `GET /v1/models` of our own."""

    def messages(self, outbound: Outbound) -> httpx.Request:
        """Describe a `POST /v1/messages`."""


def forwarded_headers(headers: HeaderList) -> HeaderList:
    """The caller's headers that may cross: all but hop-by-hop headers, credentials and addresses.

    A header that `connection` names is hop-by-hop too, and one that carries a key of ours never leaves. Nor does one
    with an underscore: there are servers that take `x_api_key` for `x-api-key`.
    """
    named = _named_by_connection(headers)
    return [
        (name, value)
        for name, value in headers
        if name not in _DROPPED
        and not name.startswith(_DROPPED_PREFIXES)
        and _OUR_KEYS not in value
        and b"_" not in name
        and name not in named
    ]


def _named_by_connection(headers: HeaderList) -> set[bytes]:
    named: set[bytes] = set()
    for name, value in headers:
        if name == b"connection" and value.lower() not in {b"keep-alive", b"close"}:
            named |= {token.strip().lower() for token in value.split(b",")}
    return named


NO_SIGNATURE = httpx.Auth()
ANY_VERSION = (b"anthropic-version", b"2023-06-01")


def described(url: httpx.URL, headers: HeaderList, body: bytes) -> httpx.Request:
    """A POST of `body`. Given a stream, httpx adds no headers of its own, which costs it 9 us a request."""
    headers.append((b"host", url.netloc))
    headers.append((b"content-length", str(len(body)).encode()))
    headers.append((b"accept-encoding", b"identity"))  # we read along, so nothing may be packed
    request = httpx.Request("POST", url, headers=headers, stream=httpx.ByteStream(body))
    request.read()
    return request
