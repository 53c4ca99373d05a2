"""Who holds money, and writing off what a process held whose journal nobody will ever ship."""

from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from apikeys import audit
from apikeys.audit import Actor

_ALL = """
SELECT coalesce(w.id, h.holder), w.host, w.pid,
    coalesce(NOT w.is_dead AND w.beat_at > tollgate_now() - interval '15 seconds', false), coalesce(h.held, 0)
FROM limit_worker w FULL JOIN (
    SELECT holder, sum(held) AS held FROM (
        SELECT holder, max(greatest(0, drawn - returned - shipped)) AS held
        FROM spend_hold GROUP BY holder, organization_id
    ) fullest GROUP BY holder
) h ON h.holder = w.id ORDER BY w.started_at, 1
"""
_LOCK = """
SELECT FROM limit_version WHERE organization_id IN (SELECT organization_id FROM spend_hold WHERE holder = %s)
ORDER BY organization_id FOR UPDATE
"""
_FREE = """
UPDATE spend_counter c SET held = c.held - greatest(0, h.drawn - h.returned - h.shipped)
FROM spend_hold h WHERE h.holder = %s AND h.scope = c.scope AND h.period = c.period
"""


class StillAlive(Exception):
    """It works, and gives back by itself what it does not need."""


class Holder(NamedTuple):
    """A process. `held_picos` of each organization in its fullest purse: a request is held for in several at once.

    Host and process are not known of one that has signed off and whose journal is not shipped yet.
    """

    id: UUID
    host: str | None
    pid: int | None
    is_alive: bool
    held_picos: int


def every() -> list[Holder]:
    with connection.cursor() as cursor:
        cursor.execute(_ALL)
        return [Holder(id, host, pid, is_alive, int(held)) for id, host, pid, is_alive, held in cursor.fetchall()]


def forget(holder_id: UUID, *, actor: Actor) -> int:
    """Free all that it holds; how much that was, in pico-dollars. ValueError for an unknown id; StillAlive."""
    found = next((holder for holder in every() if holder.id == holder_id), None)
    if found is None:
        raise ValueError(f"no worker {holder_id}")
    if found.is_alive:
        raise StillAlive(f"Worker {holder_id} is alive. Stop it first.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM limit_worker WHERE id = %s", [holder_id])
        cursor.execute(_LOCK, [holder_id])
        cursor.execute(_FREE, [holder_id])
        cursor.execute("DELETE FROM spend_hold WHERE holder = %s", [holder_id])
        audit.record(
            actor,
            "worker.forgotten",
            organization=None,
            object_type="worker",
            object_id=str(holder_id),
            before={"held_picos": str(found.held_picos)},
        )
    return found.held_picos
