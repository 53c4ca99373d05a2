"""The waiting line of one organization: one draw at a time, and all who arrive during it ride on the next."""

import asyncio
import logging
import math
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

import psycopg

from apikeys.database import Unavailable
from metering.limits import money
from metering.limits.centre import Centre
from metering.limits.leases import Lease
from metering.limits.refusal import ConcurrencyReached, LimitReached, LimitsUnavailable, RateLimited
from metering.limits.scopes import Demand
from metering.limits.share import Ask, Grant, Share
from metering.limits.waiting import patience

MOST_AT_ONCE = 500
DEBT_SECONDS = 0.25
"""What was used beyond the allowance is known to the centre after so long, if no draw told it before."""

log = logging.getLogger(__name__)


class Waiter:
    __slots__ = ("arrived_at", "demand", "future")

    def __init__(self, demand: Demand, future: "asyncio.Future[Grant]", arrived_at: float) -> None:
        self.demand = demand
        self.future = future
        self.arrived_at = arrived_at


class Line:
    """Draws for one organization, in this process."""

    def __init__(self, share: Share, centre: Centre, lease: Lease) -> None:
        self.share = share
        self._centre = centre
        self._lease = lease
        self._waiting: deque[Waiter] = deque()
        self._has_new = False
        """Somebody waits who was not asked for yet."""
        self._task: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._post: asyncio.TimerHandle | None = None

    async def admitted(self, demand: Demand) -> Grant:
        """Raises a `LimitReached`. Whoever stops waiting gives back what comes too late."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Grant] = loop.create_future()
        self._waiting.append(Waiter(demand, future, loop.time()))
        self._has_new = True
        self.draw()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.cancel(future.result())
            raise

    def cancel(self, grant: Grant) -> None:
        self.share.cancel(grant)
        self.told()

    def told(self) -> None:
        """Something was used, given back or ended: the centre hears of it in time."""
        share = self.share
        if share.has_urgent:
            self.draw()
        elif share.owes and self._post is None:
            self._post = asyncio.get_running_loop().call_later(DEBT_SECONDS, self._post_now)

    def draw(self) -> None:
        """Now, or when the one that runs is over."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def closed(self) -> None:
        """The last word: everything idle is given back."""
        if self._task is not None:
            await self._task
        share = self.share
        if not self._lease_lapsed():
            await self._ask(share.ask((), time.monotonic(), is_leaving=True))

    def _post_now(self) -> None:
        self._post = None
        if self.share.owes:
            self.draw()

    async def _run(self) -> None:
        """Draws until nothing is left to ask for now."""
        try:
            while True:
                waiters = self._next()
                if self._lease_lapsed():
                    self._refuse(waiters)
                    if not self._has_new:
                        return
                    continue
                is_answered = await self._draw(waiters)
                if not self._has_new and not (is_answered and self.share.has_urgent):
                    return
        finally:
            self._task = None

    async def _draw(self, waiters: list[Waiter]) -> bool:
        """False when no answer came: what was to be posted waits for the next heartbeat."""
        ask = self.share.ask([waiter.demand for waiter in waiters], time.monotonic())
        answer = await self._ask(ask)
        if answer is None:
            self._refuse(waiters)
            return False
        again = []
        for waiter, result in zip(waiters, self.share.hear(ask, answer, time.monotonic()), strict=True):
            if isinstance(result, Grant):
                self._give(waiter, result)
            elif result is None:
                again.append(waiter)
                self._has_new = True
            elif self._may_wait(waiter, result):
                again.append(waiter)
                self._try_again_soon(result)
            elif not waiter.future.done():
                waiter.future.set_exception(refusal(result, waiter.demand))
        self._waiting.extendleft(reversed(again))
        return True

    async def _ask(self, ask: Ask) -> dict[str, Any] | None:
        share = self.share
        ask.batch["holder"] = self._lease.holder
        try:
            answer = await self._centre.draw(self._lease.worker, share.seq, share.organization_id, ask.batch)
        except (Unavailable, psycopg.Error) as error:
            if not isinstance(error, Unavailable):
                log.exception("a draw failed")
            answer = {"is_lost": True}
        if "version" in answer:
            return answer
        share.fail(ask)
        if answer.get("is_forgotten"):
            self._lease.hurry()
        return None

    def _next(self) -> list[Waiter]:
        """In order of arrival; those who left are passed over."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._has_new = len(self._waiting) > MOST_AT_ONCE
        waiters: list[Waiter] = []
        while self._waiting and len(waiters) < MOST_AT_ONCE:
            waiter = self._waiting.popleft()
            if not waiter.future.done():
                waiters.append(waiter)
        return waiters

    def _give(self, waiter: Waiter, grant: Grant) -> None:
        if waiter.future.done():
            self.share.cancel(grant)
        else:
            waiter.future.set_result(grant)

    def _may_wait(self, waiter: Waiter, result: dict[str, Any]) -> bool:
        patient = patience(result["short"])
        if patient is None:
            return False
        return asyncio.get_running_loop().time() - waiter.arrived_at < patient.longest_seconds

    def _try_again_soon(self, result: dict[str, Any]) -> None:
        patient = patience(result["short"])
        if patient is not None and self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(patient.pause_seconds, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self.draw()

    def _refuse(self, waiters: list[Waiter]) -> None:
        for waiter in waiters:
            if not waiter.future.done():
                waiter.future.set_exception(LimitsUnavailable())

    def _lease_lapsed(self) -> bool:
        return time.monotonic() >= self._lease.until


def refusal(result: dict[str, Any], demand: Demand) -> LimitReached:
    """What the centre said of a request that it did not grant."""
    if result["short"] in ("spent", "held"):
        return money.refusal(result, demand)
    if result["short"] == "slot":
        return ConcurrencyReached(result["scope"], result["capacity"])
    return RateLimited(
        scope=result["scope"],
        model_class=result["class"],
        kind=result["kind"],
        capacity=result["capacity"],
        retry_after_seconds=max(1, math.ceil(result["wait_us"] / 1_000_000)),
        reset_at=datetime.fromtimestamp(result["full_us"] / 1_000_000, UTC),
    )
