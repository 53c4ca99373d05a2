"""Months of the ledger, on a real PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from metering import partitions
from metering.journal import Journal
from metering.models import UsageRecord
from metering.shipper import Shipper
from tests.metering.samples import begin, end

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        yield connection
        for name in _monthly(connection):
            connection.execute(f"DROP TABLE {name}")


def _monthly(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "SELECT relid::regclass::text FROM pg_partition_tree('metering_usagerecord') WHERE isleaf ORDER BY 1"
    )
    return [name for (name,) in rows if not name.endswith("_default")]


def _ship(root: Path, *moments: datetime) -> None:
    journal = Journal(root)
    for number, moment in enumerate(moments):
        name = f"req_{moment:%Y%m%d}_{number}"
        journal.begin(begin(name, started_at_us=int(moment.timestamp()) * 1_000_000))
        journal.end(end(name))
    journal.close()
    shipper = Shipper(root, settings.DATABASE_URL)
    shipper.step()
    shipper.close()


def _counts(connection: psycopg.Connection[Any]) -> dict[str, int]:
    rows = connection.execute("SELECT tableoid::regclass::text, count(*) FROM metering_usagerecord GROUP BY 1")
    return {name.removeprefix("metering_usagerecord_"): count for name, count in rows}


def test_a_month_begins_at_its_first_moment_in_utc() -> None:
    east = timezone(timedelta(hours=5, minutes=30))

    assert partitions.month_start(datetime(2027, 1, 1, 2, tzinfo=east)) == datetime(2026, 12, 1, tzinfo=UTC)
    assert partitions.month_start(NOW, months=2) == datetime(2027, 1, 1, tzinfo=UTC)
    assert partitions.month_start(NOW, months=-13) == datetime(2025, 10, 1, tzinfo=UTC)


def test_months_are_made_ahead_once(connection: psycopg.Connection[Any]) -> None:
    made = partitions.make_ahead(connection, NOW)

    assert made[:3] == [f"metering_usagerecord_{month}" for month in ("2026_11", "2026_12", "2027_01")]
    assert _monthly(connection) == made
    assert partitions.make_ahead(connection, NOW) == []


def test_rows_find_their_month_and_others_wait_in_the_default_one(
    connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    partitions.make_ahead(connection, NOW)

    last_of_month = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    _ship(tmp_path, NOW, last_of_month, last_of_month + timedelta(seconds=1), NOW - timedelta(days=60))

    assert _counts(connection) == {"2026_11": 2, "2026_12": 1, "default": 1}


def test_rows_of_the_default_partition_move_to_their_month(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    _ship(tmp_path, NOW, NOW, NOW + timedelta(days=30), NOW - timedelta(days=60))
    before = list(UsageRecord.objects.order_by("started_at", "request_id").values())

    partitions.make_ahead(connection, NOW)

    assert _counts(connection) == {"2026_11": 2, "2026_12": 1, "default": 1}
    assert list(UsageRecord.objects.order_by("started_at", "request_id").values()) == before


def test_a_row_shipped_again_after_it_moved_is_not_there_twice(
    connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    _ship(tmp_path, NOW)
    partitions.make_ahead(connection, NOW)

    _ship(tmp_path, NOW)

    assert UsageRecord.objects.count() == 1


def test_months_older_than_kept_are_dropped_with_what_is_in_the_default_one(
    connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    old = datetime(2026, 8, 15, tzinfo=UTC)
    partitions.make_ahead(connection, old)
    _ship(tmp_path, old, datetime(2026, 9, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))

    dropped = partitions.drop_older(connection, NOW, keep_months=2)

    assert dropped == ["metering_usagerecord_2026_08"]
    assert _counts(connection) == {"2026_09": 1}
