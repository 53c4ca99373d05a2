"""A worker's sign of life, and what follows from it: how long it may use what it holds, what changed, who is dead.

Without an answer for 10 s a worker admits nothing more; after 15 s without news of it, others free its slots.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID, uuid4

from apikeys.database import Unavailable
from metering.limits.centre import Centre
from metering.limits.share import Share

BEAT_SECONDS = 1.0
LEASE_SECONDS = 10.0
DEAD_SECONDS = 15.0
WATCHED_SECONDS = 60.0
"""How long after its last request an organization's version is still watched."""

log = logging.getLogger(__name__)


class Observed:
    """When each other worker was last seen to move, on our own clock. Pure."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def standing_still(self, numbers: dict[str, int], now: float) -> list[tuple[str, int]]:
        """Those whose number has been the same for `DEAD_SECONDS`, with that number."""
        self._seen = {
            worker: seen if (seen := self._seen.get(worker)) and seen[0] == number else (number, now)
            for worker, number in numbers.items()
        }
        return [(worker, number) for worker, (number, since) in self._seen.items() if now - since >= DEAD_SECONDS]

    def interrupted(self) -> None:
        """We could not look: nobody can be said to have stood still."""
        self._seen.clear()


class Lease:
    """`worker` names this process at the centre; `start` before it serves, `stop` after its last request."""

    def __init__(
        self,
        centre: Centre,
        worker: UUID,
        shares: Callable[[], Iterable[Share]],
        *,
        on_changed: Callable[[str], None],
        on_forgotten: Callable[[], None],
        on_beat: Callable[[], None],
    ) -> None:
        self.worker = worker
        self.holder = str(worker)
        """Who holds money: as long as this process lives, whatever its name among the workers is."""
        self.until = float("-inf")
        """Monotonic: until then what is held may be used."""
        self._centre = centre
        self._shares = shares
        self._on_changed = on_changed
        self._on_forgotten = on_forgotten
        self._on_beat = on_beat
        self._observed = Observed()
        self._number = 0
        self._answered = 0
        self._ahead_us = time.time_ns() // 1000 - time.monotonic_ns() // 1000
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def now_us(self) -> int:
        """The centre's wall time, as of its last answer, in microseconds."""
        return time.monotonic_ns() // 1000 + self._ahead_us

    async def start(self) -> None:
        """The first beat is over when this returns, answered or not."""
        await self._beat()
        self._task = asyncio.create_task(self._run(), name="limits lease")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self.until = float("-inf")
        try:
            await self._centre.leave(self.worker)
        except Unavailable:
            log.warning("PostgreSQL is away: others will find this worker dead")

    def hurry(self) -> None:
        """Beat now: somebody waits for us to have seen a change."""
        self._hurry.set()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._hurry.wait()
            except TimeoutError:
                pass
            try:
                await self._beat()
                if self._hurry.is_set():  # the second one says that the first one's answer was heard
                    self._hurry.clear()
                    await self._beat()
            except Exception:
                log.exception("a heartbeat failed")

    async def _beat(self) -> None:
        """One number, one question. An unanswered one is not repeated: the next says all of it again."""
        self._number += 1
        asked_at = time.monotonic()
        shares = list(self._shares())
        try:
            answer = await self._centre.beat(
                self.worker, self._number, self._answered, _versions(shares, asked_at), _slots(shares)
            )
        except Unavailable:
            self._observed.interrupted()
            if not self._answered:
                self._number = 0  # not registered, as far as we know: the next one is the first again
            return
        if answer.get("is_forgotten"):
            self._renew()
            return
        self._ahead_us = answer["now_us"] - time.monotonic_ns() // 1000
        self.until = asked_at + LEASE_SECONDS
        for organization_id in answer["changed"]:
            self._on_changed(organization_id)
        self._answered = self._number
        self._on_beat()
        for worker, number in self._observed.standing_still(answer["workers"], time.monotonic()):
            log.warning("worker %s has stood still for %d s: what it had in use is free", worker, DEAD_SECONDS)
            await self._centre.bury(worker, number)

    def _renew(self) -> None:
        """Somebody has struck this worker off: it goes on under another name, from nothing."""
        self.worker = uuid4()
        self.until = float("-inf")
        self._number = self._answered = 0
        self._on_forgotten()
        self.hurry()


def _versions(shares: list[Share], now: float) -> dict[str, int]:
    """Of organizations with requests lately. Others are asked for their limits when they come back."""
    versions: dict[str, int] = {}
    for share in shares:
        if now - share.used_at < WATCHED_SECONDS or share.slots.running:
            if share.version is not None:
                versions[share.organization_id] = share.version
        elif not share.is_stale:
            share.suspect(now)
    return versions


def _slots(shares: list[Share]) -> list[Any]:
    """Not where a draw is on its way: which of the two the centre hears first is open."""
    return [
        [share.organization_id, share.seq, declared]
        for share in shares
        if not share.is_asking and (declared := share.slots.declared())
    ]
