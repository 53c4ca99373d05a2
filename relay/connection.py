"""One upstream connection: requests out, answers in, one at a time."""

import asyncio
from dataclasses import dataclass

import httptools

from relay.transport_errors import AnswerCut, FirstByteTimedOut, IdleTimedOut, StaleConnection, TransportError

SILENCE = b""
"""The piece that means: nothing has come for a while, and the connection is well."""

HIGH_WATER = 256 * 1024
"""Bytes waiting for a slow reader beyond which the upstream is made to pause."""

FOREVER = float("inf")


class SurplusAnswer(Exception):
    """The upstream sends what nobody asked for. It must not be taken for the answer to the next request."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `first_byte` runs from the request being written; `idle` between pieces; `silence` wakes the reader."""

    connect: float = 5.0
    first_byte: float = 600.0
    idle: float = 120.0
    silence: float | None = None


class Deadlines:
    """Looks at every busy connection a few times a second, in place of a timer for each wait."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._busy: set[Connection] = set()
        self._handle: asyncio.TimerHandle | None = None

    def watch(self, connection: "Connection") -> None:
        self._busy.add(connection)
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(self._seconds, self._tick)

    def forget(self, connection: "Connection") -> None:
        self._busy.discard(connection)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._busy):
            connection.check(now)
        self._handle = loop.call_later(self._seconds, self._tick) if self._busy else None


class Connection(asyncio.Protocol):
    """A protocol that parses with httptools and hands the body to one reader.

    One exchange goes through: head awaited, body arriving, complete. An error ends the connection at any point.
    """

    def __init__(self, origin: tuple[str, str, int], deadlines: Deadlines) -> None:
        self.origin = origin
        self._deadlines = deadlines
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._error: TransportError | None = None
        self._served = 0
        self._idle_since = 0.0
        self._begin_exchange()

    def _begin_exchange(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0
        self._is_paused = False
        self._head_is_in = False
        self._is_complete = False
        self._ends_with_connection = False
        self._keeps_alive = False

    # For the pool and the reader

    async def exchange(self, request: tuple[bytes, bytes], timeouts: Timeouts) -> None:
        """Write a request (head, body); return when `status` and `headers` of its answer are here."""
        if self._served:
            self._begin_exchange()
        self._idle_seconds = timeouts.idle
        self._silence_seconds = timeouts.silence or FOREVER
        self._wake_at = FOREVER
        self._deadline = self._loop.time() + timeouts.first_byte
        self._deadlines.watch(self)
        self._transport.writelines(request)
        while not self._head_is_in:
            await self._arrival()
        self._note_progress()

    async def piece(self) -> bytes | None:
        """Everything that has arrived; `SILENCE` after a silent while; `None` at the end."""
        while not self._pieces:
            if self._is_complete:
                return None
            if self._loop.time() >= self._wake_at:
                self._wake_at = self._loop.time() + self._silence_seconds
                return SILENCE
            await self._arrival()
        pieces = self._pieces
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._waiting_bytes = 0
        if self._is_paused:
            self._is_paused = False
            self._note_progress()
            self._transport.resume_reading()
        return piece

    @property
    def is_drained(self) -> bool:
        """True when the whole answer has come and been taken."""
        return self._is_complete and not self._pieces

    def rest(self) -> bool:
        """End the exchange after its last piece. True when the connection can serve another one.

        Not when the answer came before all of the request was written: the upstream may not read the rest.
        """
        self._deadlines.forget(self)
        self._served += 1
        self._idle_since = self._loop.time()
        is_well = self._keeps_alive and self._error is None and not self._transport.is_closing()
        return is_well and not self._transport.get_write_buffer_size()

    def is_usable(self, idle_seconds: float) -> bool:
        fresh = self._loop.time() - self._idle_since < idle_seconds
        return fresh and self._error is None and not self._transport.is_closing()

    def close(self) -> None:
        """The error that was raised goes too: its traceback would keep the request's body, in a ring with us."""
        self._deadlines.forget(self)
        self._error = None
        self._transport.abort()

    def check(self, now: float) -> None:
        """From the ticker: end a wait that is too long, wake a reader that wants to know of silence."""
        if self._is_paused:  # the reader is slow, not the upstream
            return
        if now >= self._deadline:
            self._fail(IdleTimedOut("the answer stopped") if self._head_is_in else FirstByteTimedOut("no answer came"))
            self._transport.abort()
        elif now >= self._wake_at:
            self._wake()

    async def _arrival(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _note_progress(self) -> None:
        now = self._loop.time()
        self._deadline = now + self._idle_seconds
        self._wake_at = now + self._silence_seconds

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: TransportError) -> None:
        if self._error is None and not self._is_complete:
            self._error = error
        self._wake()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(AnswerCut(f"not an HTTP answer: {error}"))
            self._transport.abort()
            return
        if self._head_is_in:
            self._note_progress()
        if self._waiting_bytes > HIGH_WATER and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head_is_in and self._ends_with_connection and exc is None:
            self._is_complete = True
        stale = self._served and not self.status
        self._fail(StaleConnection("closed by the upstream") if stale else AnswerCut(str(exc or "connection closed")))
        self._parser = None  # type: ignore[assignment]  # it refers to us

    # httptools callbacks

    def on_message_begin(self) -> None:
        if self._is_complete:
            raise SurplusAnswer

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_is_in:  # else it is a trailer, which nobody waits for
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:  # 100 Continue, 103 Early Hints: the answer is still to come
            self.headers = []
            return
        self._head_is_in = True
        self._keeps_alive = self._parser.should_keep_alive()
        framing = {name for name, _ in self.headers if name in {b"content-length", b"transfer-encoding"}}
        self._ends_with_connection = not framing

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        self._waiting_bytes += len(body)

    def on_message_complete(self) -> None:
        if self._head_is_in:
            self._is_complete = True
