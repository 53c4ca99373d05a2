"""The upstream HTTP/1.1 client: `send` a described request, read the answer as it arrives.

httpx describes requests here and does not send them: with 64 at once its pool costs over a hundred times the CPU of
this one (docs/decisions/transport.md). Nothing else in the project knows how bytes reach an upstream, so another
client can take this one's place. One ticker serves every deadline, because a timer for each event would cost more than
the event.
"""

import asyncio
import ssl

import httpx

from relay.connection import SILENCE, Connection, Deadlines, Timeouts
from relay.transport_errors import ConnectFailed, ConnectTimedOut, PoolClosed

__all__ = ["SILENCE", "Answer", "Timeouts", "Transport"]

IDLE_SECONDS = 20.0
"""A kept connection unused for this long is closed: shorter than common servers' own limit, to lose fewer races."""

TICK_SECONDS = 0.25

Headers = list[tuple[bytes, bytes]]
Origin = tuple[str, str, int]


class Answer:
    """Status and headers of an answer, and its body piece by piece."""

    __slots__ = ("_connection", "_transport", "headers", "status")

    def __init__(self, connection: Connection, transport: "Transport") -> None:
        self._connection: Connection | None = connection
        self._transport = transport
        self.status = connection.status
        self.headers: Headers = connection.headers

    async def piece(self) -> bytes | None:
        """What has arrived since the last call, at least one byte; `None` at the end of the body.

        `SILENCE` (an empty piece) after `Timeouts.silence` without a byte. Raises `AnswerCut` or `IdleTimedOut`.
        """
        if self._connection is None:
            return None
        piece = await self._connection.piece()
        if self._connection.is_drained:
            self._transport.keep(self._connection)
            self._connection = None
        return piece

    @property
    def is_at_end(self) -> bool:
        """True when the last piece has been handed out: the next `piece` is None, without waiting."""
        return self._connection is None

    async def read(self, limit: int) -> bytes:
        """The whole body, or its first `limit` bytes."""
        pieces, size = [], 0
        try:
            while size < limit and (piece := await self.piece()) is not None:
                pieces.append(piece)
                size += len(piece)
        finally:
            self.close()
        return b"".join(pieces)[:limit]

    def close(self) -> None:
        """Stop reading. The connection is closed, unless the body was read to its end."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Transport:
    """Kept-alive connections, by scheme, host and port. Belongs to one event loop."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[Connection]] = {}
        self._deadlines = Deadlines(TICK_SECONDS)
        self._tls: ssl.SSLContext | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def send(self, request: httpx.Request, timeouts: Timeouts, *, on_new_connection: bool = False) -> Answer:
        """Write `request` and wait for the head of its answer.

        Raises `ConnectFailed` or `ConnectTimedOut` when nothing was sent, `FirstByteTimedOut` or `AnswerCut` when the
        request went out and no answer came. A cancelled `send` closes its connection.
        """
        kept = None if on_new_connection else self._kept(request.url)
        connection = kept or await self._connect(request.url, timeouts.connect)
        try:
            await connection.exchange(_written(request), timeouts)
        except BaseException:
            connection.close()
            raise
        return Answer(connection, self)

    def keep(self, connection: Connection) -> None:
        """Take back a connection whose answer was read to its end."""
        if connection.rest() and not self._is_closed:
            self._idle.setdefault(connection.origin, []).append(connection)
            if self._sweeping is None:
                self._sweep_later()
        else:
            connection.close()

    async def aclose(self) -> None:
        self._is_closed = True
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()
        self._deadlines.stop()
        if self._sweeping is not None:
            self._sweeping.cancel()

    def _kept(self, url: httpx.URL) -> Connection | None:
        kept = self._idle.get(_origin(url))
        while kept:
            connection = kept.pop()
            if connection.is_usable(IDLE_SECONDS):
                return connection
            connection.close()
        return None

    def _sweep_later(self) -> None:
        self._sweeping = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what has lain unused for too long: the one used last serves next, so after a burst most never do."""
        self._sweeping = None
        for origin, kept in tuple(self._idle.items()):
            self._idle[origin] = [connection for connection in kept if connection.is_usable(IDLE_SECONDS)]
            for connection in kept:
                if not connection.is_usable(IDLE_SECONDS):
                    connection.close()
        if any(self._idle.values()):
            self._sweep_later()

    async def _connect(self, url: httpx.URL, seconds: float) -> Connection:
        if self._is_closed:
            raise PoolClosed
        origin = scheme, host, port = _origin(url)
        try:
            async with asyncio.timeout(seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(origin, self._deadlines), host, port, ssl=self._context(scheme)
                )
        except TimeoutError as error:
            raise ConnectTimedOut(f"no connection to {host}:{port} within {seconds:g} s") from error
        except (OSError, ValueError, OverflowError) as error:  # a host that cannot be one, a port beyond all ports
            raise ConnectFailed(f"cannot connect to {host}:{port}: {error}") from error
        return connection

    def _context(self, scheme: str) -> ssl.SSLContext | None:
        if scheme == "http":
            return None
        if self._tls is None:
            self._tls = httpx.create_ssl_context()
        return self._tls


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _written(request: httpx.Request) -> tuple[bytes, bytes]:
    head = [request.method.encode(), b" ", request.url.raw_path, b" HTTP/1.1\r\n"]
    for name, value in request.headers.raw:
        head += (name, b": ", value, b"\r\n")
    head.append(b"\r\n")
    return b"".join(head), request.content
