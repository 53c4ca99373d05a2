"""Monthly partitions of the ledger's rows: made ahead, dropped when they are old.

Rows of a month without a partition wait in the default one; they move when theirs is made.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

MONTHS_AHEAD = 3
_PARENT = "metering_usagerecord"
_DEFAULT = sql.Identifier(f"{_PARENT}_default")
_MOVE = sql.SQL(
    "WITH moved AS (DELETE FROM {} WHERE started_at >= %s AND started_at < %s RETURNING *) "
    "INSERT INTO {} SELECT * FROM moved"
)

Connection = psycopg.Connection[Any]


def month_start(moment: datetime, *, months: int = 0) -> datetime:
    """The first moment of the month that is `months` after that of `moment`, in UTC."""
    moment = moment.astimezone(UTC)
    count = moment.year * 12 + moment.month - 1 + months
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)


def name_of(month: datetime) -> str:
    return f"{_PARENT}_{month:%Y_%m}"


def make_ahead(connection: Connection, now: datetime) -> list[str]:
    """Partitions from this month to `MONTHS_AHEAD` later. The names of those that were missing."""
    existing = set(_existing(connection))
    wanted = [month_start(now, months=months) for months in range(MONTHS_AHEAD + 1)]
    missing = [month for month in wanted if name_of(month) not in existing]
    for month in missing:
        _make(connection, month)
    return [name_of(month) for month in missing]


def drop_older(connection: Connection, now: datetime, *, keep_months: int) -> list[str]:
    """Drop the partitions of months that ended `keep_months` or more before `now`. Their names."""
    oldest = name_of(month_start(now, months=-keep_months))
    dropped = [name for name in _existing(connection) if name < oldest]
    for name in dropped:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    limit = month_start(now, months=-keep_months)
    connection.execute(sql.SQL("DELETE FROM {} WHERE started_at < %s").format(_DEFAULT), [limit])
    return dropped


def _make(connection: Connection, month: datetime) -> None:
    """Nobody may write into the default partition between the move and the moment when rows go to the new one."""
    table = sql.Identifier(name_of(month))
    first, after = month, month_start(month, months=1)
    with connection.transaction():
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(_DEFAULT))
        parent = sql.Identifier(_PARENT)
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS)").format(table, parent))
        connection.execute(_MOVE.format(_DEFAULT, table), [first, after])
        attach = sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})")
        connection.execute(attach.format(parent, table, sql.Literal(first), sql.Literal(after)))


def _existing(connection: Connection) -> Iterator[str]:
    """The monthly partitions, without the default one."""
    rows = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1", [_PARENT]
    )
    return (name for (name,) in rows if name != f"{_PARENT}_default")
