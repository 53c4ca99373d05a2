"""When each key was last used, to the minute: collected in memory, written in batches, never while a request waits."""

import asyncio
import logging

import psycopg

from apikeys.database import Session, Unavailable
from apikeys.known_keys import KnownKeys, minute

FLUSH_SECONDS = 10.0
BATCH = 1_000

log = logging.getLogger(__name__)

_STORE = """
WITH used AS (
    SELECT id, to_timestamp(minute * 60::float8) AS at FROM unnest(%s::text[], %s::bigint[]) AS used (id, minute)
), locked AS (
    SELECT key.id, used.at FROM apikeys_apikey AS key JOIN used USING (id)
    WHERE key.last_used_at IS NULL OR key.last_used_at < used.at
    ORDER BY key.id FOR NO KEY UPDATE OF key
)
UPDATE apikeys_apikey AS key SET last_used_at = locked.at FROM locked WHERE key.id = locked.id
"""


class LastUse:
    """Writes for one worker. Locks are taken in order of key, so that workers do not trip over each other."""

    def __init__(self, known: KnownKeys) -> None:
        self._known = known
        self._session = Session()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._flush_for_ever(), name="last use")

    async def stop(self) -> None:
        """Writes what is left, if the database answers."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        await self.flush()
        await self._session.close()

    async def flush(self) -> None:
        """Write each key's last minute that the database does not know yet. What fails is written the next time."""
        used = [entry for entry in self._known.entries.values() if minute(entry.used_at) > entry.stored_minute]
        minutes = {entry.caller.api_key_id: minute(entry.used_at) for entry in used}
        left, self._known.left_minutes = self._known.left_minutes, {}
        if not await self._store({**left, **minutes}):
            self._known.left_minutes = {**left, **self._known.left_minutes}
            return
        for entry in used:
            entry.stored_minute = minutes[entry.caller.api_key_id]

    async def _flush_for_ever(self) -> None:
        while not self._stopping.is_set():
            await self.flush()
            try:
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._stopping.wait()
            except TimeoutError:
                pass

    async def _store(self, minutes: dict[str, int]) -> bool:
        """Whether all of it was written."""
        ids = sorted(minutes)
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            try:
                await self._session.fetch(_STORE, [batch, [minutes[key_id] for key_id in batch]])
            except (Unavailable, psycopg.Error) as error:
                log.warning("the last use of keys is not written yet: %s", error)
                return False
        return True
