"""The ledger's one way in: rows, rollups and how far each journal is shipped, in one transaction.

Rows that are there already are left alone, and rollups count only rows that were really written: shipping the same
rows again, in whatever order and portions, changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import django.db
import psycopg
from psycopg import conninfo

from apikeys import channels
from metering import failpoints, prices, shipment
from metering.pricing import PriceTable
from metering.reports import simulated_rows_count
from metering.rows import COLUMNS, Row
from metering.running import Position

PutAside = Callable[[Row, str], None]

UNSHIPPABLE = (psycopg.DataError, psycopg.IntegrityError)
"""What PostgreSQL says of a row that it will never take."""

_IS_SIMULATED = COLUMNS.index("is_simulated")
_CONNECTION: dict[str, Any] = {
    "application_name": "tollgate shipper",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a journal folder is shipped: read again from `restart`; all that ended before `shipped` is in."""

    folder: UUID
    restart: Position
    shipped: Position
    is_closed: bool = False


class Ledger:
    """A connection of its own. Its methods raise psycopg.Error, and then nothing is written."""

    def __init__(self, database_url: str) -> None:
        settings = _CONNECTION | conninfo.conninfo_to_dict(database_url)
        self._connection = psycopg.connect(conninfo.make_conninfo("", **settings), autocommit=True)
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET jit = off")
        self._connection.execute("SET lock_timeout = '10s'")
        self._connection.execute(shipment.CREATE)

    def close(self) -> None:
        self._connection.close()

    def prices(self) -> PriceTable:
        with self._connection.cursor() as cursor:
            return prices.read(cursor)

    def mark(self, folder: UUID) -> Mark:
        """How far this folder is shipped; one that is not known yet from its beginning."""
        row = self._connection.execute(shipment.MARK, [folder]).fetchone()
        if row is None:
            return Mark(folder, Position(0, 0), Position(0, 0))
        return Mark(folder, Position(row[0], row[1]), Position(row[2], row[3]), row[4])

    def ship(self, rows: Sequence[Row], marks: Sequence[Mark]) -> int:
        """Write rows and marks; the number of rows that were new."""
        with self._connection.transaction():
            self._lock(marks)
            written = self._write(rows) if rows else 0
            self._conclude(marks, written)
        return written

    def ship_what_can_be(self, rows: Sequence[Row], marks: Sequence[Mark], put_aside: PutAside) -> int:
        """Like `ship`, but each row that PostgreSQL refuses is given to `put_aside`, with its reason, and left out."""
        with self._connection.transaction():
            self._lock(marks)
            written = self._write_by_halves(rows, put_aside)
            self._conclude(marks, written)
        return written

    def _write_by_halves(self, rows: Sequence[Row], put_aside: PutAside) -> int:
        try:
            with self._connection.transaction():
                written = self._write(rows)
                self._connection.execute("DELETE FROM shipment")
                return written
        except UNSHIPPABLE as error:
            if len(rows) == 1:
                put_aside(rows[0], str(error))
                return 0
        half = len(rows) // 2
        return self._write_by_halves(rows[:half], put_aside) + self._write_by_halves(rows[half:], put_aside)

    def _lock(self, marks: Sequence[Mark]) -> None:
        """The marks' rows come first: of two shippers of one folder, the second waits here."""
        self._connection.execute(shipment.LOCK, [sorted(mark.folder for mark in marks)])

    def _write(self, rows: Sequence[Row]) -> int:
        with self._connection.cursor() as cursor:
            with cursor.copy(shipment.COPY) as copy:
                _put(copy, rows)
            written = cursor.execute(shipment.WRITE, {"simulated_counts": _simulated_counts(rows)}).fetchone()
        return int(written[0]) if written else 0

    def _conclude(self, marks: Sequence[Mark], written: int) -> None:
        failpoints.reach(failpoints.INSIDE_SHIP)
        closed = [mark.folder for mark in marks if mark.is_closed]
        if written or closed:
            self._connection.execute(shipment.MONEY, [closed])
        for mark in marks:
            self._connection.execute(shipment.MOVE, [*mark.restart, *mark.shipped, mark.is_closed, mark.folder])
        if written:
            self._connection.execute(shipment.NOTIFY, [channels.USAGE, str(written)])


def _simulated_counts(rows: Sequence[Row]) -> bool:
    """Whether simulated answers count as spent. Django's connection goes back at once: this thread lives long."""
    if not any(row[_IS_SIMULATED] for row in rows):
        return False
    try:
        return simulated_rows_count()
    except django.db.Error as error:
        raise psycopg.OperationalError(str(error)) from error
    finally:
        django.db.connections.close_all()


def _put(copy: psycopg.Copy, rows: Sequence[Row]) -> None:
    try:
        for row in rows:
            copy.write_row(row)
    except psycopg.ProgrammingError as error:  # a value of a type that no column takes
        raise psycopg.DataError(str(error)) from error
