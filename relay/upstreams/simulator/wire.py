"""Writing an answer to one connection: headers, pieces at the asked pace, and the asked accidents."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from relay.upstreams.simulator.script import Break
from relay.upstreams.simulator.visit import Visit

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TRANSPORT = "tollgate.transport"
_FAIR_SHARE = 32  # writes in one go before others get their turn
_BEFORE_RESET_SECONDS = 0.02  # lets what was written arrive: a reset overtakes it otherwise

_FRAMES = {
    "malformed": b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"te\n\n',
    "unknown": b'event: weather_report\ndata: {"type":"weather_report","sky":"clear"}\n\n',
    "comment": b": a comment\n\n",
    "unnamed": b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"unheard"}}\n\n',
}


class ClientGone(Exception):
    """The other side closed the connection."""


class Faulted(Exception):
    """An accident on request ended the answer early."""


class Wire:
    """One answer on its way. Everything raises ClientGone when nobody listens, Faulted after a final accident."""

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send, visit: Visit) -> None:
        self._transport: asyncio.Transport = scope["extensions"][TRANSPORT]
        self._receive = receive
        self._send = send
        self._script = visit.script
        self._request_id = visit.request_id
        self._breaks = list(visit.script.breaks)
        self._bytes = 0
        self._events = 0
        self._writes = 0
        self._held = b""
        self._held_events = 0
        self._due = 0.0

    async def prepare(self) -> None:
        """What comes before any answer."""
        if self._script.stall_before_headers:
            await self.silence(self._script.stall_before_headers)
        if self._script.reset_before_headers:
            await self._reset()

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        if self._script.reset_after_headers:
            await self._reset()

    async def event(self, event: dict[str, Any]) -> None:
        """Write one event, when it is due."""
        await self._accidents("events", self._events)
        await self._wait_until_due()
        frame = b"event: %b\ndata: %b\n\n" % (event["type"].encode(), orjson.dumps(event))
        self._events += 1
        self._held += frame
        self._held_events += 1
        if self._held_events == self._script.events_per_write:
            await self.flush()

    async def flush(self) -> None:
        """Write what waits to go out in one write."""
        held, self._held, self._held_events = self._held, b"", 0
        await self._frame(held)

    async def body(self, content: bytes) -> None:
        """Write bytes of the body: through the byte accidents and in the asked pieces."""
        while (byte_break := self._next("bytes", self._bytes + len(content))) is not None:
            before = max(0, byte_break.at - self._bytes)
            await self._pieces(content[:before])
            content = content[before:]
            await self._act(byte_break)
        await self._pieces(content)

    async def end(self) -> None:
        """The body is complete."""
        await self.flush()
        await self._accidents("events", self._events)
        await self._write(b"", more=False)

    async def silence(self, seconds: float) -> None:
        """Say nothing for a while; stop early when the client leaves."""
        try:
            async with asyncio.timeout(seconds):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return
        raise ClientGone

    async def _frame(self, frame: bytes) -> None:
        await self.body(frame.replace(b"\n", b"\r\n") if self._script.crlf else frame)

    async def _accidents(self, unit: str, position: int) -> None:
        while (due := self._next(unit, position)) is not None:
            await self.flush()
            await self._act(due)

    def _next(self, unit: str, position: int) -> Break | None:
        for index, each in enumerate(self._breaks):
            if each.unit == unit and each.at <= position:
                return self._breaks.pop(index)
        return None

    async def _act(self, accident: Break) -> None:
        match accident.verb:
            case "stall":
                await self.silence(accident.seconds)
            case "reset":
                await self._reset()
            case "cut":
                await self._cut()
            case "end":
                await self._write(b"", more=False)
                raise Faulted
            case "error":
                await self._error(accident.argument or "overloaded_error")
            case verb:
                await self._frame(_FRAMES[verb])

    async def _error(self, error_type: str) -> None:
        message = "Overloaded" if error_type == "overloaded_error" else "Internal server error"
        error = {
            "type": "error",
            "error": {"type": error_type, "message": message},
            "request_id": self._request_id,
        }
        await self._frame(b"event: error\ndata: %b\n\n" % orjson.dumps(error))
        await self._write(b"", more=False)
        raise Faulted

    async def _cut(self) -> None:
        """FIN after what was written, without the end that HTTP asks for."""
        self._transport.close()
        await self._closed()
        raise Faulted

    async def _reset(self) -> None:
        await asyncio.sleep(_BEFORE_RESET_SECONDS)
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        await self._closed()
        raise Faulted

    async def _closed(self) -> None:
        """Wait until the server knows that the connection is gone, so that it does not complain."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _wait_until_due(self) -> None:
        if not self._script.events_per_second:
            return
        now = asyncio.get_running_loop().time()
        if self._due > now:
            await asyncio.sleep(self._due - now)
        self._due = max(self._due, now) + 1 / self._script.events_per_second

    async def _pieces(self, content: bytes) -> None:
        size = self._script.chunk
        if not size:
            if content:
                await self._write(content)
            return
        for start in range(0, len(content), size):
            await self._write(content[start : start + size])
            await asyncio.sleep(self._script.chunk_pause)

    async def _write(self, content: bytes, *, more: bool = True) -> None:
        if self._transport.is_closing():
            raise ClientGone
        self._bytes += len(content)
        self._writes += 1
        if self._writes % _FAIR_SHARE == 0:
            await asyncio.sleep(0)
        await self._send({"type": "http.response.body", "body": content, "more_body": more})
