"""The jobs process: ships this data folder's journals to the ledger, and does its share of the housekeeping.

SIGTERM, or the end of the supervisor, stops it once what is left in the journals has been shipped.
"""

import os
import select
import signal
import threading
from pathlib import Path

import django

SHIP_SECONDS = 15.0
"""The most that the last shipment may take; what it leaves is shipped at the next start."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    threading.Thread(target=_watch_parent, args=[stop], daemon=True).start()
    django.setup(set_prefix=False)
    from django.conf import settings

    from config.installation import demand_own_database
    from config.postgres.use import database_held

    with database_held(settings.DATA_DIR):
        demand_own_database()
        work(stop, settings.JOURNAL_DIR, settings.DATABASE_URL)


def work(stop: threading.Event, journal: Path, database_url: str) -> None:
    """Until `stop`; each part in a thread of its own, so that a slow one holds up none of the others."""
    from config import housekeeping
    from metering.shipper import Shipper

    shipping = threading.Thread(target=Shipper(journal, database_url).run, args=[stop], daemon=True)
    keeping = threading.Thread(target=housekeeping.run, args=[stop], daemon=True)
    shipping.start()
    keeping.start()
    stop.wait()
    shipping.join(SHIP_SECONDS)


def _watch_parent(stop: threading.Event) -> None:
    """Nothing is ever written into the pipe: it turns readable when the supervisor is gone."""
    pipe = os.environ.get("TOLLGATE_PARENT_FD")
    if pipe:
        select.select([int(pipe)], [], [])  # not read(): workers make the shared pipe non-blocking
        stop.set()


if __name__ == "__main__":
    main()
