"""An upstream on a bare socket: it does exactly what a test says, and keeps every byte that it was sent."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Writer = asyncio.StreamWriter


@dataclass(frozen=True)
class Request:
    """As it came over the wire."""

    head: bytes
    body: bytes

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Header names in lower case, in their order."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines if line)]

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.lines if key == name)


Answering = Callable[[Request, Writer], Awaitable[None]]


@dataclass
class RawUpstream:
    """Holds its port for as long as it lives, and answers within `answering`."""

    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=512))
    requests: list[Request] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    @asynccontextmanager
    async def answering(self, answer: Answering) -> AsyncIterator["RawUpstream"]:
        """Requests on a kept connection come one after the other until `answer` closes it."""
        self.requests.clear()
        writers: set[Writer] = set()

        async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
            writers.add(writer)
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while not writer.is_closing():
                    request = await _read(reader)
                    self.requests.append(request)
                    await answer(request, writer)
                    await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, sock=self.listening.dup(), limit=1 << 26)
        try:
            yield self
        finally:
            server.close()
            for writer in writers:
                writer.transport.abort()

    def close(self) -> None:
        self.listening.close()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    request = Request(head[:-2], b"")
    return Request(request.head, await reader.readexactly(int(request.header("content-length") or 0)))


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK", kind: bytes = b"application/json") -> bytes:
    """An answer with its length."""
    lines = [
        b"HTTP/1.1 " + status,
        b"content-type: " + kind,
        b"content-length: %d" % len(body),
        b"request-id: req_upstream",
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"request-id: req_upstream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def chunk(data: bytes) -> bytes:
    """In the chunked coding; `chunk(b"")` ends a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def always(answer: bytes) -> Answering:
    """The same bytes for every request."""

    async def reply(_: Request, writer: Writer) -> None:
        writer.write(answer)

    return reply
