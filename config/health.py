"""`/healthz`: the process lives. `/readyz`: it can serve. Neither needs a key."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from apikeys import database
from relay.call import Receive, Scope, Send

ASKED_SECONDS = 1.0
"""An answer of the database stands this long, so that probes cannot load it."""
CACHED_SECONDS = 60.0
"""Keys read less than this ago keep working without the database: so long are we ready without it."""


class Health:
    """Both answers of one worker. `journal_trouble` says why its journal refuses requests, empty when it does not."""

    def __init__(
        self,
        journal: Path,
        *,
        journal_trouble: Callable[[], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_draining = False
        self._journal = journal
        self._journal_trouble = journal_trouble
        self._clock = clock
        self._asked_at = self._answered_at = float("-inf")
        self._asking = asyncio.Lock()

    async def healthz(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(scope, send, 200, "ok")

    async def readyz(self, scope: Scope, receive: Receive, send: Send) -> None:
        trouble = await self.trouble()
        await _answer(scope, send, 503 if trouble else 200, trouble or "ready")

    async def trouble(self) -> str | None:
        """Why this worker should get no requests now, or None."""
        if self.is_draining:
            return "stopping"
        if not _is_writable(self._journal):
            return "the journal cannot be written"
        if trouble := self._journal_trouble():
            return trouble
        if not await self._database_is_known():
            return "the database does not answer"
        return None

    async def _database_is_known(self) -> bool:
        async with self._asking:
            if self._clock() - self._asked_at >= ASKED_SECONDS:
                self._asked_at = self._clock()
                if await _database_answers():
                    self._answered_at = self._clock()
        return self._clock() - self._answered_at < CACHED_SECONDS


def _is_writable(folder: Path) -> bool:
    """The folder, or where it will be made."""
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)


async def _database_answers() -> bool:
    try:
        async with asyncio.timeout(2), await database.connect() as connection:
            await connection.execute("SELECT 1")
    except (psycopg.Error, TimeoutError, OSError):
        return False
    return True


async def _answer(scope: Scope, send: Send, status: int, text: str) -> None:
    body = b"" if scope["method"] == "HEAD" else text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
