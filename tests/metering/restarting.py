"""A database of its own that goes away under a shipper and comes back: `python -m tests.metering.restarting DATA`."""

import logging
import sys
import threading
import time
from pathlib import Path

import django
import psycopg
from django.conf import settings
from django.core.management import call_command

from config.postgres.server import EmbeddedServer
from metering.journal import Journal
from tests.metering.samples import begin, end


def main(data: Path) -> None:
    from metering.shipper import Shipper

    server = EmbeddedServer(data)
    with server.used(durable=False):
        call_command("migrate", verbosity=0)
        journal = Journal(data / "journal")
        stop = threading.Event()
        shipping = threading.Thread(target=Shipper(data / "journal", settings.DATABASE_URL).run, args=[stop])
        shipping.start()
        _serve(journal, range(200))
        _say_when_there_are(200)
        server.stop()
        _serve(journal, range(200, 500))
        time.sleep(2)
        server.start(durable=False)
        _say_when_there_are(500)
        journal.close()
        stop.set()
        shipping.join()


def _serve(journal: Journal, numbers: range) -> None:
    for number in numbers:
        journal.begin(begin(f"req_{number}"))
        journal.end(end(f"req_{number}"))


def _say_when_there_are(rows: int) -> None:
    until = time.monotonic() + 20
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        while True:
            (count,) = connection.execute("SELECT count(*) FROM metering_usagerecord").fetchone() or (0,)
            if count == rows or time.monotonic() > until:
                print(f"rows {count}", flush=True)
                return
            time.sleep(0.05)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    django.setup(set_prefix=False)
    main(Path(sys.argv[1]))
