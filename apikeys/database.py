"""Asynchronous connections to PostgreSQL for the paths that cannot wait for Django: keys, prices, notifications.

The address is the one that Django uses, so that tests and commands which move it move both.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from psycopg import conninfo

CONNECT_SECONDS = 2.0
STATEMENT_SECONDS = 2.0

log = logging.getLogger(__name__)


class Unavailable(psycopg.OperationalError):
    """PostgreSQL did not answer: it is down, starting, unreachable, or too slow to be waited for."""


def address() -> str:
    """The libpq connection string of the database."""
    database = settings.DATABASES["default"]
    options = {key: value for key, value in database.get("OPTIONS", {}).items() if key != "pool"}
    known = {
        "dbname": database["NAME"],
        "user": database.get("USER"),
        "password": database.get("PASSWORD"),
        "host": database.get("HOST"),
        "port": database.get("PORT"),
    }
    return conninfo.make_conninfo("", **options, **{key: str(value) for key, value in known.items() if value})


async def connect() -> psycopg.AsyncConnection[Any]:
    """A connection of one's own: autocommit, and nothing prepared, so that a pooler may stand between.

    Raises `Unavailable` when there is none within 2 s.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await psycopg.AsyncConnection.connect(address(), autocommit=True, prepare_threshold=None)
    except (psycopg.OperationalError, OSError, TimeoutError) as error:  # OSError: a host name without an address
        raise Unavailable(f"no connection to PostgreSQL: {error or 'it does not answer'}") from error


class Session:
    """One connection for short statements: opened when first needed, opened again after it broke.

    Statements queue up, first come first served. A pool would not do here: its pauses between attempts grow during an
    outage, and whoever authenticates wants to know within a moment that PostgreSQL is back.
    """

    def __init__(self, statement_seconds: float = STATEMENT_SECONDS) -> None:
        self._statement_seconds = statement_seconds
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()
        self._is_closed = False
        self.is_away = False
        """Whether the last statement found nobody to answer it."""

    async def fetch(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement, which must be harmless to repeat. Raises `Unavailable`, or what SQL has to say."""
        async with self._turn:
            try:
                rows = await self._fetch(statement, parameters)
            except Unavailable as error:
                self._note(is_away=True, why=str(error))
                raise
            self._note(is_away=False)
            return rows

    async def close(self) -> None:
        """For good. A statement that is running fails at once."""
        self._is_closed = True
        if self._connection is not None:
            hang_up(self._connection)
        async with self._turn:
            if self._connection is not None:
                await self._connection.close()

    def _note(self, *, is_away: bool, why: str = "") -> None:
        if is_away and not self.is_away and not self._is_closed:
            log.warning("PostgreSQL is away: %s", why)
        elif self.is_away and not is_away:
            log.warning("PostgreSQL is back")
        self.is_away = is_away

    async def _fetch(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """A connection that served before may have died since: then a new one gets the same statement."""
        if self._connection is not None and not self._connection.closed:
            try:
                return await self._run(self._connection, statement, parameters)
            except ConnectionResetError:
                pass
        if self._is_closed:
            raise Unavailable("this session is closed")
        self._connection = await connect()
        try:
            return await self._run(self._connection, statement, parameters)
        except ConnectionResetError as error:
            raise Unavailable("PostgreSQL closes its connections") from error

    async def _run(
        self, connection: psycopg.AsyncConnection[Any], statement: str, parameters: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        """Raises ConnectionResetError when the connection was lost at once, `Unavailable` when time ran out."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._statement_seconds
        watchdog = loop.call_at(deadline, hang_up, connection)
        try:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if loop.time() >= deadline:
                raise Unavailable("PostgreSQL takes too long") from error
            if connection.closed:
                raise ConnectionResetError from error
            raise Unavailable(str(error)) from error
        finally:
            watchdog.cancel()


def hang_up(connection: psycopg.AsyncConnection[Any]) -> None:
    """End a connection from outside: whoever waits on it gets an error at once, even if the server is frozen.

    Cancelling the waiting task instead would ask the server to cancel, and wait for its answer.
    """
    if connection.closed:
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as double:
        double.shutdown(socket.SHUT_RDWR)
