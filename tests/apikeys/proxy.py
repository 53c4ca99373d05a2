"""Real sockets between us and PostgreSQL, which a test can hold, freeze, cut or close."""

import asyncio
import contextlib
from pathlib import Path

SOCKET_NAME = ".s.PGSQL.5432"


class Line:
    """One client's connection, and what it has said so far."""

    def __init__(self, writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self.said = b""
        self._writers = writers

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class PostgresProxy:
    """Listens in `folder` under PostgreSQL's own socket name and passes everything on to `server_folder`."""

    def __init__(self, folder: Path, server_folder: Path) -> None:
        self.folder = folder
        self._server_folder = server_folder
        self._server: asyncio.Server | None = None
        self._lines: list[Line] = []
        self._conversations: set[asyncio.Task[None]] = set()
        self._held: set[bytes] = set()
        self._moved = asyncio.Condition()
        self._counted: dict[bytes, int] = {}

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, self.folder / SOCKET_NAME)

    async def close(self) -> None:
        """Refuse newcomers and cut everybody off, as a server that was stopped does."""
        if self._server is not None:
            self._server.close()
            (self.folder / SOCKET_NAME).unlink(missing_ok=True)
            self._server = None
        self.cut(b"")
        await asyncio.gather(*self._conversations, return_exceptions=True)

    def cut(self, words: bytes) -> None:
        """Cut the lines on which `words` were said."""
        for line in self._lines:
            if words in line.said:
                line.cut()

    def hold(self, words: bytes) -> None:
        """Keep back the answers on every line on which `words` were or will be said; b"" freezes the whole server."""
        self._held.add(words)

    async def release(self) -> None:
        async with self._moved:
            self._held.clear()
            self._moved.notify_all()

    def count(self, words: bytes) -> int:
        """How often `words` were said, on all lines, from the first call with these words on."""
        return self._counted.setdefault(words, 0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.create_task(self._serve(reader, writer))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server = await asyncio.open_unix_connection(self._server_folder / SOCKET_NAME)
        except OSError:
            writer.transport.abort()
            return
        line = Line((writer, server[1]))
        self._lines.append(line)
        await asyncio.gather(self._ask(line, reader, server[1]), self._answer(line, server[0], writer))
        self._lines.remove(line)

    async def _ask(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while said := await reader.read(65536):
                line.said = (line.said + said)[-1_000_000:]
                for words in self._counted:
                    self._counted[words] += said.count(words)
                writer.write(said)
        writer.close()

    async def _answer(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while said := await reader.read(65536):
                async with self._moved:
                    await self._moved.wait_for(lambda: not any(words in line.said for words in self._held))
                writer.write(said)
        writer.close()
