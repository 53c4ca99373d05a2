"""When an upstream refuses the operator's account, the operator has to know; tenants only see that it is away."""

import asyncio
import logging
import time
from collections import deque

import psycopg

from apikeys.database import Session, Unavailable
from relay.routing import Target

logger = logging.getLogger("tollgate.upstreams")

REPEAT_SECONDS = 60.0
MOST_CHANGES = 60
"""Of one upstream's mark within `REPEAT_SECONDS`: one that refuses some models and serves others keeps its mark."""

_RAISE = "UPDATE relay_upstream SET refused_at = now(), refusal = %s WHERE id = %s RETURNING id"
_CLEAR = "UPDATE relay_upstream SET refused_at = NULL, refusal = '' WHERE id = %s RETURNING id"


class AccountAlarms:
    """Marks the upstream's row and logs an error, at most once a minute each; a good answer takes the mark away."""

    def __init__(self) -> None:
        self._raised_at: dict[int, float] = {}
        self._cleared: dict[int, Target] = {}
        self._changes: dict[int, deque[float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session = Session()

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks)
        await self._session.close()

    def raised(self, target: Target, message: str) -> None:
        now = time.monotonic()
        if now - self._raised_at.get(target.id, -REPEAT_SECONDS) < REPEAT_SECONDS or not self._may_change(target, now):
            return
        self._raised_at[target.id] = now
        logger.error("upstream %s refuses our account: %s", target.name, message)
        self._run(_RAISE, (message, target.id))

    def cleared(self, target: Target) -> None:
        """A good answer. The mark may be another process's, or from before we started."""
        if not self._raised_at and not target.is_refused:
            return
        is_marked = target.id in self._raised_at or (target.is_refused and self._cleared.get(target.id) is not target)
        if is_marked and self._may_change(target, time.monotonic()):
            self._raised_at.pop(target.id, None)
            self._cleared[target.id] = target
            self._run(_CLEAR, (target.id,))

    def _may_change(self, target: Target, now: float) -> bool:
        changes = self._changes.setdefault(target.id, deque(maxlen=MOST_CHANGES))
        if len(changes) == MOST_CHANGES and now - changes[0] < REPEAT_SECONDS:
            return False
        changes.append(now)
        return True

    def _run(self, statement: str, values: tuple[object, ...]) -> None:
        task = asyncio.create_task(self._execute(statement, values))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            await self._session.fetch(statement, values)
        except (Unavailable, psycopg.Error) as error:
            logger.error("the upstream's mark could not be stored: %s", error)
