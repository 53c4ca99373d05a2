"""A client on a bare socket: what it sends is what a test says, and it sees how its connection ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.content)["error"]  # type: ignore[no-any-return]


class Connection:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def send(self, start: str, content: bytes = b"", **headers: str) -> None:
        """A request line, headers (underscores become dashes), and a body, whose length is added unless it is given."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if content and not {"content-length", "transfer-encoding"} & set(named):
            named["content-length"] = str(len(content))
        lines = [f"{start} HTTP/1.1", "host: localhost", *(f"{name}: {value}" for name, value in named.items())]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    async def answer(self) -> Answer:
        """The next answer, with a `content-length` or in chunks. Raises `IncompleteReadError` when there is none."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, headers = await self.head()
            return Answer(status, headers, await self.content(headers))

    async def head(self) -> tuple[int, dict[str, str]]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.rstrip().split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        return int(status.split()[1]), {name.lower(): value for name, _, value in pairs}

    async def content(self, headers: dict[str, str]) -> bytes:
        """The body that belongs to a head."""
        if headers.get("transfer-encoding") == "chunked":
            return b"".join([piece async for piece in self._chunks()])
        return await self._reader.readexactly(int(headers.get("content-length", "0")))

    async def some(self) -> bytes:
        """Whatever comes next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._reader.read(1 << 16)

    async def is_closed(self) -> bool:
        """Waits for the other side to end the connection in good order; bytes before that fail."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._reader.read(1) == b""

    def abort(self) -> None:
        self.writer.transport.abort()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
            yield await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readuntil(b"\r\n")


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        yield Connection(reader, writer)
    finally:
        writer.transport.abort()
