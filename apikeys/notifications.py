"""One LISTEN connection for each worker: hears what others announce, and knows when it may have missed some."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from apikeys import channels, database

HEARTBEAT_SECONDS = 2.0
"""How long a quiet connection is believed before it is asked for a sign of life."""
ANSWER_SECONDS = 2.0
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0

log = logging.getLogger(__name__)


class Listener:
    """Calls back, in the event loop, for each notification. Callbacks are quick and do not wait.

    `is_listening` is true only while nothing can be missed. A connection that goes through a pooler in transaction
    mode hears nothing: the address has to be a direct one.
    """

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callable[[str], None]]] = defaultdict(list)
        self._when_lost: list[Callable[[], None]] = []
        self._when_restored: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self.is_listening = False

    def subscribe(self, channel: str, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback` with each payload on `channel`, until the returned function is called."""
        if channel not in channels.ALL:
            raise ValueError(f"no channel is called {channel}")
        self._callbacks[channel].append(callback)
        return lambda: self._callbacks[channel].remove(callback)

    def on_lost(self, callback: Callable[[], None]) -> None:
        """From this moment on notifications may be missed."""
        self._when_lost.append(callback)

    def on_restored(self, callback: Callable[[], None]) -> None:
        """LISTEN is in force, for the first time or again; what happened before it was not heard."""
        self._when_restored.append(callback)

    async def start(self) -> None:
        """Returns at once; a database that is away is waited for in the background."""
        self._task = asyncio.create_task(self._run(), name="listener")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        pause = 0.0
        while True:
            try:
                await self._listen()
            except (database.Unavailable, psycopg.Error) as error:
                if self.is_listening or not pause:
                    log.warning("not listening for notifications: %s", error)
            pause = FIRST_PAUSE_SECONDS if self.is_listening or not pause else min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._lost()
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        """Until the connection ends, which raises `psycopg.Error`."""
        connection = await database.connect()
        try:
            for channel in channels.ALL:
                await _answered(connection, sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.is_listening = True
            self._call_all(self._when_restored)
            while True:
                async for notification in connection.notifies(timeout=HEARTBEAT_SECONDS):
                    self._call_all(self._callbacks[notification.channel], notification.payload)
                await _answered(connection, sql.SQL("SELECT 1"))
        finally:
            await connection.close()

    def _lost(self) -> None:
        if self.is_listening:
            self.is_listening = False
            self._call_all(self._when_lost)

    def _call_all(self, callbacks: list[Callable[..., None]], *arguments: Any) -> None:
        """One callback's failure is logged and keeps nothing from the others."""
        for callback in list(callbacks):
            try:
                callback(*arguments)
            except Exception:
                log.exception("a notification's callback failed")


async def _answered(connection: psycopg.AsyncConnection[Any], statement: sql.SQL | sql.Composed) -> None:
    """Run a statement, and hang up on a server that does not answer it."""
    watchdog = asyncio.get_running_loop().call_later(ANSWER_SECONDS, database.hang_up, connection)
    try:
        await connection.execute(statement)
    finally:
        watchdog.cancel()
