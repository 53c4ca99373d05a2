"""Which upstreams may answer a model, in which order."""

import asyncio
import logging
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import httpx
import psycopg

from apikeys import channels
from apikeys.database import Session, Unavailable
from apikeys.notifications import Listener
from relay import credentials, errors
from relay.upstreams.base import Adapter
from relay.upstreams.registry import KINDS

logger = logging.getLogger("tollgate.routing")

POLL_SECONDS = 5.0

_SELECT = """
    SELECT id, name, kind, base_url, credential, model_patterns, drains, refused_at IS NOT NULL
    FROM relay_upstream WHERE is_enabled ORDER BY priority DESC, id DESC
"""


@dataclass(frozen=True, slots=True)
class Target:
    """An upstream as a request sees it."""

    id: int
    name: str
    adapter: Adapter
    patterns: tuple[str, ...]
    has_credential: bool
    drains: bool
    is_refused: bool = False
    """The database says that it refuses our account."""

    def serves(self, model: str) -> bool:
        return _fits(model, self.patterns)


class Unusable(Exception):
    """An upstream's row that no request can follow; the text says why."""


class Routes:
    """The upstreams in force. Immutable; a change makes a new one.

    `unusable` are the patterns of upstreams whose row cannot be used: their models are away, not unknown.
    """

    def __init__(self, targets: list[Target], unusable: tuple[str, ...] = ()) -> None:
        real = [target for target in targets if not target.adapter.is_simulated]
        self._targets = real if unusable or any(target.has_credential for target in real) else targets
        self._unusable = unusable
        self._by_model: dict[str, tuple[Target, ...]] = {}

    def targets(self, model: str) -> tuple[Target, ...]:
        """First choice first. The simulator answers only while no upstream with a credential exists.

        Raises 404 when no upstream serves the model, 503 when only one does that cannot be used.
        """
        found = self._by_model.get(model)
        if found is None:
            found = self._serving(model)
            if len(self._by_model) < 1_000:  # names come from callers
                self._by_model[model] = found
        if not found:
            if _fits(model, self._unusable):
                raise errors.upstream_account_refused()
            raise errors.model_unknown(model)
        return found

    def _serving(self, model: str) -> tuple[Target, ...]:
        """Invented answers never stand in for real ones: the simulator is nobody's second choice."""
        found = [target for target in self._targets if target.serves(model)]
        real = [target for target in found if not target.adapter.is_simulated]
        return tuple(real or found)


class RouteTable:
    """Keeps `current` equal to the database: told by NOTIFY, and looking by itself every few seconds."""

    def __init__(self, listener: Listener) -> None:
        self.current: Routes | None = None
        self._session = Session()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        listener.subscribe(channels.UPSTREAMS, lambda _: self._changed.set())

    def routes(self) -> Routes:
        """Raises 503 as long as the database has never been read."""
        if self.current is None:
            raise errors.ApiError(503, "The upstreams are not known yet", reason="routes_unknown", retry_after=1)
        return self.current

    async def start(self) -> None:
        await self._reload()
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        await self._session.close()

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            await self._reload()

    async def _reload(self) -> None:
        try:
            rows = await self._session.fetch(_SELECT)
        except (Unavailable, psycopg.Error) as error:
            logger.warning("upstreams cannot be read, the known ones stay: %s", error)
            return
        self.current = _routes(rows)


def _routes(rows: list[tuple[Any, ...]]) -> Routes:
    targets: list[Target] = []
    unusable: list[str] = []
    for id_, name, kind, base_url, credential, patterns, drains, is_refused in rows:
        try:
            adapter = _adapter(kind, base_url, credential)
        except Unusable as problem:
            logger.error("upstream %s cannot be used: %s", name, problem)
            unusable += patterns
        else:
            targets.append(Target(id_, name, adapter, tuple(patterns), bool(credential), drains, is_refused))
    return Routes(targets, tuple(unusable))


def _adapter(kind: str, base_url: str, credential: bytes | None) -> Adapter:
    try:
        secret = credentials.decrypt(bytes(credential)) if credential else ""
        adapter = KINDS[kind].make(base_url, secret)
        _ = adapter.models().url.host  # an address that is none shows here
        return adapter
    except credentials.UnreadableCredential:
        raise Unusable("its credential was stored under another secret key; enter it again") from None
    except (KeyError, ValueError, httpx.InvalidURL) as error:
        raise Unusable(f"{type(error).__name__}: {error}") from None


def _fits(model: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in patterns)
