"""The worker processes as the centre knows them, for commands and pages: who lives, and who has seen a change."""

import time
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

_ALL = """
SELECT w.id, w.host, w.pid, w.started_at, w.beat_at, w.is_dead OR w.beat_at < tollgate_now() - interval '15 seconds',
    w.number, w.answered
FROM limit_worker w ORDER BY w.started_at, w.id
"""
ACKNOWLEDGED_SECONDS = 5.0


class Worker(NamedTuple):
    """`number` counts its signs of life; `answered` is the last one whose answer it has acted on."""

    id: UUID
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime
    is_dead: bool
    number: int
    answered: int


def every() -> list[Worker]:
    with connection.cursor() as cursor:
        cursor.execute(_ALL)
        return [Worker(*row) for row in cursor.fetchall()]


def live() -> list[Worker]:
    return [worker for worker in every() if not worker.is_dead]


def wait_until_seen(seconds: float = ACKNOWLEDGED_SECONDS) -> list[Worker]:
    """After the COMMIT of a change: returns when every live worker admits under it, or after `seconds`.

    Those that have not said so by then are returned. A sign of life that began after the change carries it back, and
    the one after that says that it was heard.
    """
    waiting = {worker.id: worker.number for worker in live()}
    give_up = time.monotonic() + seconds
    while True:
        pending = [worker for worker in live() if worker.answered <= waiting.get(worker.id, -1)]
        if not pending or time.monotonic() >= give_up:
            return pending
        time.sleep(0.05)
