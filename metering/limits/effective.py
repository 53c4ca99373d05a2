"""What holds for an organization, worked out anew; and whether every worker has heard of it.

The numbers are put together in SQL (`tollgate_refresh_limits`), so that an organization made or moved by any other way
has its limits in the same transaction.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction

ACKNOWLEDGE_SECONDS = 5.0
LIVE_SECONDS = 15
"""Without a sign of life for this long, a worker is waited for no more."""
_PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Change:
    """New limits, at commit. `beats` are the workers to hear of it, each with its last beat that did not know."""

    beats: dict[UUID, int] = field(default_factory=dict)


@contextmanager
def changing(organization_id: UUID) -> Iterator[Change]:
    """A transaction that changes limits. Let it be the outermost and short: workers wait for its locks.

    A beat that comes while it runs waits for it and then sees what it wrote; so the first beat after those in
    `Change.beats` knows. Beats lock a worker before an organization's version, and so does this.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, number FROM limit_worker WHERE NOT is_dead "
            "AND beat_at > tollgate_now() - make_interval(secs => %s) ORDER BY id FOR NO KEY UPDATE",
            [LIVE_SECONDS],
        )
        change = Change(dict(cursor.fetchall()))
        cursor.execute("SELECT FROM apikeys_organization WHERE id = %s FOR NO KEY UPDATE", [organization_id])
        yield change


def refresh(organization_id: UUID | str) -> int:
    """Work out anew what holds; the new version. Call it in the transaction of the change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tollgate_refresh_limits(%s)", [organization_id])
        return int(cursor.fetchone()[0])


def refresh_tier(tier: str) -> None:
    """The same for every organization of a tier, in an order that two at once agree on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tollgate_refresh_limits(o.id) FROM "
            "(SELECT id FROM apikeys_organization WHERE tier = %s ORDER BY id) o",
            [tier],
        )


def wait_until_known(change: Change, seconds: float = ACKNOWLEDGE_SECONDS) -> list[str]:
    """After the commit: returns when every live worker acts on it, else the names of those that do not yet."""
    deadline = time.monotonic() + seconds
    while missing := _unaware(change):
        if time.monotonic() >= deadline:
            return missing
        time.sleep(_PAUSE_SECONDS)
    return []


def _unaware(change: Change) -> list[str]:
    if not change.beats:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, host, pid, answered FROM limit_worker WHERE id = ANY(%s) AND NOT is_dead "
            "AND beat_at > tollgate_now() - make_interval(secs => %s) ORDER BY host, pid",
            [list(change.beats), LIVE_SECONDS],
        )
        return [
            f"{host} process {pid}" for id, host, pid, answered in cursor.fetchall() if answered <= change.beats[id]
        ]
