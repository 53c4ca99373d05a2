"""When an upstream refuses the operator's account, the operator has to know; tenants only see that it is away."""

import asyncio
import logging
import time

import psycopg

from apikeys.database import Session, Unavailable
from relay.routing import Target

logger = logging.getLogger("tollgate.upstreams")

REPEAT_SECONDS = 60.0

_RAISE = "UPDATE relay_upstream SET refused_at = now(), refusal = %s WHERE id = %s RETURNING id"
_CLEAR = "UPDATE relay_upstream SET refused_at = NULL, refusal = '' WHERE id = %s RETURNING id"


class AccountAlarms:
    """Marks the upstream's row and logs an error, at most once a minute each; a good answer takes the mark away."""

    def __init__(self) -> None:
        self._raised_at: dict[int, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session = Session()

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks)
        await self._session.close()

    def raised(self, target: Target, message: str) -> None:
        now = time.monotonic()
        if now - self._raised_at.get(target.id, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return
        self._raised_at[target.id] = now
        logger.error("upstream %s refuses our account: %s", target.name, message)
        self._run(_RAISE, (message, target.id))

    def cleared(self, target: Target) -> None:
        if not self._raised_at:
            return
        if self._raised_at.pop(target.id, None) is not None:
            self._run(_CLEAR, (target.id,))

    def _run(self, statement: str, values: tuple[object, ...]) -> None:
        task = asyncio.create_task(self._execute(statement, values))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            await self._session.fetch(statement, values)
        except (Unavailable, psycopg.Error) as error:
            logger.error("the upstream's mark could not be stored: %s", error)
