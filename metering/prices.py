"""The price rows of the database: read into a `PriceTable`, and kept current in a worker.

Rows are only ever added (a trigger holds to it), so a table that is a little old is right about the past, and wrong at
most about a price that began within the last moments.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

from apikeys import channels
from apikeys.database import Session, Unavailable
from apikeys.notifications import Listener
from metering.models import Price
from metering.price_list import SHIPPED, columns
from metering.pricing import PriceRow, PriceTable

REFRESH_SECONDS = 60.0

log = logging.getLogger(__name__)

_ALL = """
SELECT model, (extract(epoch FROM effective_from) * 1000000)::bigint, above_input_tokens,
    input_picos::bigint, cache_write_5m_picos::bigint, cache_write_1h_picos::bigint, cache_read_picos::bigint,
    output_picos::bigint, fast_factor, us_factor_percent
FROM metering_price
"""


class PriceBook:
    """`current` is what a worker prices with: the shipped prices until the database has been read once."""

    def __init__(self, listener: Listener) -> None:
        self.current = PriceTable(SHIPPED)
        self._session = Session()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        listener.subscribe(channels.PRICES, lambda _payload: self._wake.set())
        listener.on_restored(self._wake.set)

    async def start(self) -> None:
        """Reads the prices if the database answers, and goes on in the background."""
        await self._refresh()
        self._task = asyncio.create_task(self._keep_current(), name="price book")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._session.close()

    async def _keep_current(self) -> None:
        while True:
            try:
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            self.current = _table(await self._session.fetch(_ALL))
        except Unavailable:
            log.warning("prices could not be read; those known before stay in force")
        except psycopg.Error:
            log.exception("prices could not be read; those known before stay in force")


def load() -> PriceTable:
    """The prices as they are now, for commands and jobs."""
    with connection.cursor() as cursor:
        return read(cursor)


def read(cursor: CursorWrapper | psycopg.Cursor[Any]) -> PriceTable:
    """The prices as they are now, through a connection that the caller has."""
    cursor.execute(_ALL)
    return _table(cursor.fetchall())


def add(rows: Iterable[PriceRow]) -> None:
    """Put these rows in force. One that is already there stays as it is; the rest are announced to every worker."""
    Price.objects.bulk_create([Price(**columns(row)) for row in rows], ignore_conflicts=True)


def _table(rows: Iterable[tuple[Any, ...]]) -> PriceTable:
    return PriceTable(PriceRow(*row) for row in rows)
