"""A process that ships, for tests that kill it: `python -m tests.metering.shipping ROOT`. And what the ledger holds."""

import os
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import django
from django.conf import settings


def shipping_process(root: Path, *, failpoints: Path | None = None) -> subprocess.Popen[bytes]:
    """A shipper in a process of its own, on the database of this test."""
    environment = os.environ | {
        "DATABASE_URL": settings.DATABASE_URL,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TOLLGATE_DATA": str(settings.DATA_DIR),
    }
    if failpoints:
        environment["TOLLGATE_FAILPOINTS"] = str(failpoints)
    return subprocess.Popen([sys.executable, "-m", "tests.metering.shipping", root], env=environment)


def rollups() -> list[list[dict[str, Any]]]:
    """Both rollups, without their ids."""
    from metering.models import UsageMinute, UsageQuarterHour
    from metering.shipment import DIMENSIONS

    return [
        [
            {name: value for name, value in row.items() if name != "id"}
            for row in model.objects.order_by(*DIMENSIONS).values()
        ]
        for model in (UsageMinute, UsageQuarterHour)
    ]


def assert_rollups_are_sums_of_rows() -> None:
    from django.db import connection

    from metering.shipment import DIMENSIONS

    texts = ("workspace_id", "api_key_id", "account_id")
    keys = ", ".join(f"coalesce({name}, '')" if name in texts else name for name in DIMENSIONS if name != "started_at")
    names = ", ".join(name for name in DIMENSIONS if name != "started_at")
    counted = ("requests", "output_tokens", "uncached_input_tokens", "output_picos", "cost_picos")
    sums = ", ".join(f"sum({name})" for name in counted)
    intervals = {
        "metering_usageminute": "date_trunc('minute', started_at)",
        "metering_usagequarterhour": "date_bin('15 minutes', started_at, '2000-01-01Z')",
    }
    with connection.cursor() as cursor:
        for table, interval in intervals.items():
            cursor.execute(f"SELECT {interval}, {keys}, {sums} FROM metering_usagerecord GROUP BY 1, {keys}")
            expected = {tuple(map(_plain, row)) for row in cursor.fetchall()}
            cursor.execute(f"SELECT started_at, {names}, {', '.join(counted)} FROM {table}")
            assert {tuple(map(_plain, row)) for row in cursor.fetchall()} == expected


def _plain(value: object) -> object:
    return int(value) if isinstance(value, Decimal) else value


if __name__ == "__main__":
    django.setup(set_prefix=False)
    from metering.shipper import Shipper

    Shipper(Path(sys.argv[1]), settings.DATABASE_URL).run(threading.Event())
