"""Reading keys from the database into what a worker knows."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import psycopg

from apikeys.caller import Caller
from apikeys.database import Session, Unavailable
from apikeys.errors import KeyStoreUnavailable
from apikeys.known_keys import Digest, Entry, KnownKeys, Watch

LONGEST_WAIT_SECONDS = 3.0
BATCH = 500
"""Keys in one statement: few enough that reading the answer holds up the event loop for about a millisecond."""

log = logging.getLogger(__name__)

_IS_ARCHIVED = "(organization.archived_at IS NOT NULL OR workspace.archived_at IS NOT NULL)"
_OWNERS = """
    apikeys_apikey AS key
    JOIN apikeys_organization AS organization ON organization.id = key.organization_id
    LEFT JOIN apikeys_workspace AS workspace ON workspace.id = key.workspace_id
"""
_BY_DIGEST = f"""
SELECT key.digest, key.organization_id::text, key.workspace_id, coalesce(workspace.is_default, false), key.id, key.kind,
    extract(epoch FROM key.expires_at)::float8, CASE WHEN {_IS_ARCHIVED} THEN 'archived' ELSE key.stored_status END
FROM {_OWNERS}
WHERE key.digest = ANY(%s)
"""  # noqa: S608
_NO_LONGER_GOOD = f"""
SELECT known.id FROM unnest(%s::text[]) AS known (id)
WHERE NOT EXISTS (
    SELECT FROM {_OWNERS} WHERE key.id = known.id AND key.stored_status = 'active' AND NOT {_IS_ARCHIVED}
)
"""  # noqa: S608


class KeyReader:
    """Keys by digest. What is asked while one SELECT runs rides on the next; the same key is asked for once."""

    def __init__(self, session: Session, known: KnownKeys, clock: Callable[[], float]) -> None:
        self._session = session
        self._known = known
        self._clock = clock
        self._answers: dict[Digest, asyncio.Future[Entry | Exception | None]] = {}
        self._queue: list[Digest] = []
        self._task: asyncio.Task[None] | None = None

    async def read(self, digest: Digest) -> Entry | None:
        """The key's entry, now known, or None when it is not good. Raises `KeyStoreUnavailable`."""
        answer = self._answers.get(digest)
        if answer is None:
            answer = self._answers[digest] = asyncio.get_running_loop().create_future()
            self._queue.append(digest)
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._read_queue(), name="key reader")
        await asyncio.wait([answer], timeout=LONGEST_WAIT_SECONDS)  # unlike awaiting it, cancels it for nobody else
        result = answer.result() if answer.done() else KeyStoreUnavailable("the answer takes too long")
        if isinstance(result, Exception):
            raise result
        return result

    async def stop(self) -> None:
        if self._task is not None:
            await asyncio.wait([self._task])

    async def reread(self, entries: list[Entry]) -> None:
        """Ask whether these are good still, and renew or forget each. Raises `KeyStoreUnavailable`.

        Asks even when there are none: that tells whether the database answers.
        """
        for start in range(0, max(1, len(entries)), BATCH):
            await self._reread_batch(entries[start : start + BATCH])

    async def _reread_batch(self, entries: list[Entry]) -> None:
        began = self._clock()
        with self._known.watch() as watch:
            rows = await self._fetch(_NO_LONGER_GOOD, [entry.caller.api_key_id for entry in entries])
        bad_ids = {row[0] for row in rows}
        for entry in entries:
            if entry.read_at > began or watch.touches(entry.caller):
                continue  # something newer than this answer is known of it
            if entry.caller.api_key_id in bad_ids:
                self._known.forget(entry.digest)
            else:
                self._known.confirm(entry, began, watch)

    async def _read_queue(self) -> None:
        while self._queue:
            batch, self._queue = self._queue[:BATCH], self._queue[BATCH:]
            try:
                await self._read_batch(batch)
            except KeyStoreUnavailable as error:
                waiting, self._queue = self._queue, []  # it would be no better for them
                self._answer_all([*batch, *waiting], error)
            except Exception as error:
                log.exception("keys cannot be read")
                self._answer_all(batch, KeyStoreUnavailable(repr(error)))

    async def _read_batch(self, batch: list[Digest]) -> None:
        """One SELECT. An answer that a change may have overtaken is thrown away, and its key asked for again."""
        began = self._clock()
        with self._known.watch() as watch:
            rows = await self._fetch(_BY_DIGEST, batch)
        found = {bytes(row[0]): row[1:] for row in rows}
        for digest in batch:
            row = found.get(digest)
            if row is not None and watch.touches(_caller(row)):
                self._queue.append(digest)
            else:
                self._answer(digest, self._learn(digest, row, began, watch))

    def _learn(self, digest: Digest, row: tuple[Any, ...] | None, began: float, watch: Watch) -> Entry | None:
        status = "unknown" if row is None else row[-1]
        if row is None or status != "active":
            self._known.refuse(digest, status, self._clock())
            return None
        return self._known.remember(digest, _caller(row), began, watch)

    def _answer(self, digest: Digest, result: Entry | Exception | None) -> None:
        answer = self._answers.pop(digest, None)
        if answer is not None:
            answer.set_result(result)

    def _answer_all(self, batch: list[Digest], error: KeyStoreUnavailable) -> None:
        for digest in batch:
            self._answer(digest, error)

    async def _fetch(self, statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
        try:
            return await self._session.fetch(statement, [values])
        except Unavailable as error:
            raise KeyStoreUnavailable(str(error)) from error
        except psycopg.Error as error:
            log.error("keys cannot be read: %s", error)
            raise KeyStoreUnavailable(str(error)) from error


def _caller(row: tuple[Any, ...]) -> Caller:
    organization_id, workspace_id, is_default, api_key_id, kind, expires_at, _status = row
    return Caller(organization_id, workspace_id, is_default, api_key_id, kind, expires_at)
