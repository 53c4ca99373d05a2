"""HTTP/1.1 as uvicorn speaks it, stricter where it trusts the client.

A head has a largest size and a longest time. Trailers are no headers: what a proxy in front has checked or set must not
be added to afterwards. An offer to switch to another protocol is declined, as RFC 9110 allows, and costs no body.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from apikeys import ids
from relay import errors

LARGEST_HEAD_BYTES = 64 << 10
"""Plus what one read from the socket brings. Browsers and proxies send 8 to 16 kB at most."""

MOST_HEADERS = 256
HEAD_SECONDS = 30.0
"""From the first byte of a head to its last, and from a new connection to that first byte."""

_OF_THE_OFFER = frozenset({b"connection", b"upgrade", b"http2-settings"})


class TooManyHeaders(Exception):
    """Stops the parser."""


class Protocol(HttpToolsProtocol):
    """One client's connection."""

    _head_bytes = 0
    _head_until = 0.0
    _is_in_head = False
    _answered: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._close_at(self.loop.time() + HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn tells only the last request in line that its client has left, not the one that is being answered."""
        super().connection_lost(exc)
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(400, "Invalid HTTP request received.")
        except httptools.HttpParserUpgrade as upgrade:
            self._decline(data[upgrade.args[0] :])
        if self._is_in_head:
            self._wait_for_head(len(data))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    # The parser's callbacks

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if len(self.headers) > MOST_HEADERS:
            self._refuse(431, "The request has too many headers.")
            raise TooManyHeaders
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        self.headers = []  # the request has its own by now; here come the trailers

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _wait_for_head(self, size: int) -> None:
        """Another `size` bytes of a head have come, but not its end."""
        if not self._head_bytes:
            self._head_until = self.loop.time() + HEAD_SECONDS
        self._head_bytes += size
        if self._head_bytes > LARGEST_HEAD_BYTES:
            self._refuse(431, "The request's headers are too large.")
        elif not self._is_answering:
            self._close_at(self._head_until)

    def _close_at(self, moment: float) -> None:
        """In uvicorn's own timer for idle connections, which the next byte stops."""
        self.timeout_keep_alive_task = self.loop.call_at(moment, self.timeout_keep_alive_handler)

    @property
    def _is_answering(self) -> bool:
        return self._answered is not None and not self._answered.response_complete

    def _decline(self, rest: bytes) -> None:
        """Read the same request again, without the offer. Java's own client makes one with every body it sends."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            self._refuse(400, "Invalid HTTP request received.")
            return
        head = [method, b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            if name not in _OF_THE_OFFER:
                head += [name, b": ", value, b"\r\n"]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"".join([*head, b"\r\n", rest]))

    def _refuse(self, status: int, message: str) -> None:
        """What is not HTTP has no place in a log: anybody can send as much of it as they like."""
        if self.transport.is_closing():
            return
        if self._answered is not None and self._answered.response_started and self._is_answering:
            self.transport.close()  # an answer is under way: nothing of ours may get into it
            return
        request_id = ids.request_id()
        body = errors.error_body(errors.error_type(status), message, request_id)
        head = b"content-type: application/json\r\nrequest-id: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head % (request_id.encode(), len(body)) + body)
        self.transport.close()
        self._is_in_head = False
