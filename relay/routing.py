"""Which upstreams may answer a model, in which order."""

import asyncio
import logging
from dataclasses import dataclass
from fnmatch import fnmatchcase

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
    SELECT id, name, kind, base_url, credential, model_patterns, drains
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

    def serves(self, model: str) -> bool:
        return any(fnmatchcase(model, pattern) for pattern in self.patterns)


class Routes:
    """The upstreams in force. Immutable; a change makes a new one."""

    def __init__(self, targets: list[Target]) -> None:
        real = [target for target in targets if not target.adapter.is_simulated]
        self._targets = real if any(target.has_credential for target in real) else targets
        self._by_model: dict[str, tuple[Target, ...]] = {}

    def targets(self, model: str) -> tuple[Target, ...]:
        """First choice first. The simulator answers only while no upstream with a credential exists.

        Raises 404 when no upstream serves the model.
        """
        found = self._by_model.get(model)
        if found is None:
            found = self._serving(model)
            if len(self._by_model) < 1_000:  # names come from callers
                self._by_model[model] = found
        if not found:
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
        self.current = Routes([target for row in rows if (target := _target(*row)) is not None])


def _target(
    id_: int, name: str, kind: str, base_url: str, credential: bytes | None, patterns: list[str], drains: bool
) -> Target | None:
    try:
        secret = credentials.decrypt(bytes(credential)) if credential else ""
    except credentials.UnreadableCredential:
        logger.error("the credential of upstream %s was stored under another secret key; enter it again", name)
        return None
    adapter = KINDS[kind].make(base_url, secret)
    return Target(id_, name, adapter, tuple(patterns), has_credential=bool(secret), drains=drains)
