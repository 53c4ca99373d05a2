"""One call as it came in: who to answer, what the head says, and where the key is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from apikeys import ids
from relay import errors

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
HeaderList = list[tuple[bytes, bytes]]

VERSIONS = frozenset({b"2023-01-01", b"2023-06-01", b"2026-10-21"})


class Call:
    """The head of a request, with the two ends of its conversation.

    `headers` are by lower-case name; lines of one name are joined with a comma, as HTTP reads them.
    """

    __slots__ = (
        "address",
        "headers",
        "is_answered",
        "is_read",
        "method",
        "path",
        "raw_headers",
        "receive",
        "request_id",
        "scope",
        "send",
        "started_at_us",
        "started_ns",
        "task",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, task: "asyncio.Task[Any]") -> None:
        self.started_ns = time.perf_counter_ns()
        self.started_at_us = time.time_ns() // 1000
        self.task = task
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_headers: HeaderList = scope["headers"]
        self.headers = _joined(self.raw_headers)
        client = scope.get("client")
        self.address: str = client[0] if client else ""
        self.request_id = ids.request_id()
        self.is_answered = False
        self.is_read = False

    @property
    def declared_bytes(self) -> int | None:
        """`content-length`; None when the body comes in chunks (or there is none)."""
        value = self.headers.get(b"content-length")
        return int(value) if value is not None and value.isdigit() else None

    def elapsed_us(self) -> int:
        return (time.perf_counter_ns() - self.started_ns) // 1000

    def set_clock(self, now_us: int) -> None:
        """It is `now_us` by the clock of the limits: the request began accordingly, and goes on by it."""
        self.started_at_us = now_us - self.elapsed_us()

    def now_us(self) -> int:
        """Epoch microseconds: the start and what has passed since, so that a clock that is set changes no duration."""
        return self.started_at_us + self.elapsed_us()

    def text(self, name: bytes) -> str:
        """A header's value for a log or a row; empty when it is absent."""
        return self.headers.get(name, b"").decode("latin-1")

    def key(self) -> tuple[str, bool]:
        """The caller's key and whether it came as a bearer token.

        It may be in `x-api-key`, in `api-key` or after `Bearer`; more than one place is fine while they agree.
        Raises 401 when there is none, or when two places disagree.
        """
        headers = self.headers
        found = [headers[name] for name in (b"x-api-key", b"api-key") if headers.get(name)]
        bearer = _bearer(headers.get(b"authorization", b""))
        if bearer:
            found.append(bearer)
        if not found:
            raise errors.key_missing()
        if len(set(found)) > 1:
            raise errors.keys_disagree()
        return found[0].decode("latin-1"), bool(bearer)

    def check_version(self) -> None:
        """Both live API versions pass (and the legacy one); it goes upstream as it came."""
        version = self.headers.get(b"anthropic-version")
        if not version:
            raise errors.version_missing()
        if version not in VERSIONS:
            raise errors.version_unknown(version.decode("latin-1"))

    def check_encoding(self) -> None:
        """We read the body that goes on, so it must be readable."""
        encoding = self.headers.get(b"content-encoding", b"identity")
        if encoding.lower() != b"identity":
            raise errors.encoding_unsupported(encoding.decode("latin-1"))


def _joined(raw: HeaderList) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in raw:
        headers[name] = value if name not in headers else headers[name] + b", " + value
    return headers


def _bearer(authorization: bytes) -> bytes:
    scheme, _, token = authorization.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""
