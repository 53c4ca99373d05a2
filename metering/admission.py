"""May this request run? Asked once before it is begun, told once when it is over.

What a worker holds of the limits it admits out of, without waiting; else it asks the centre. The parts are in
`metering.limits`.
"""

import time
from uuid import UUID

from apikeys import channels
from apikeys.notifications import Listener
from metering.limits.centre import Centre
from metering.limits.counting import charged_input
from metering.limits.drawing import Line
from metering.limits.leases import Lease
from metering.limits.refusal import LimitsUnavailable
from metering.limits.scopes import BucketState, Demand
from metering.limits.share import Grant, Share
from metering.pricing import Charge

__all__ = ["Admission", "Demand", "Grant"]


class Admission:
    """Takes all limits of a request or none, and gives back what was not used. One for each worker."""

    def __init__(self, listener: Listener, worker: UUID) -> None:
        self._lines: dict[str, Line] = {}
        self._centre = Centre()
        self._lease = Lease(
            self._centre,
            worker,
            lambda: [line.share for line in self._lines.values()],
            on_changed=self._changed,
            on_forgotten=self._forgotten,
            on_beat=self._post_credits,
        )
        listener.subscribe(channels.LIMITS, self._announced)

    async def start(self) -> None:
        await self._lease.start()

    async def stop(self) -> None:
        """After the last request: everything idle goes back."""
        for line in list(self._lines.values()):
            await line.closed()
        await self._lease.stop()
        await self._centre.close()

    def now_us(self) -> int:
        """The centre's wall time in microseconds: one request takes it once, and stays with it."""
        return self._lease.now_us()

    @property
    def holder(self) -> str:
        """In whose name money is held."""
        return self._lease.holder

    async def admit(self, demand: Demand) -> Grant:
        """Raises a `LimitReached`; then nothing was taken from any limit."""
        now = time.monotonic()
        line = self._lines.get(demand.organization_id) or self._line(demand.organization_id)
        if now >= self._lease.until and not line.share.is_unlimited:
            raise LimitsUnavailable
        return line.share.take(demand, now) or await line.admitted(demand)

    def confirm(self, grant: Grant) -> None:
        """Right before BEGIN: this process may have stood still since. Raises `LimitsUnavailable`."""
        if time.monotonic() >= self._lease.until and not grant.share.is_unlimited:
            self.cancel(grant)
            raise LimitsUnavailable

    def states(self, demand: Demand) -> tuple[BucketState, ...]:
        """How the buckets of such a request stand, as far as this worker knows; granted or not."""
        line = self._lines.get(demand.organization_id)
        return line.share.states(demand, self._lease.now_us()) if line else ()

    def started(self, grant: Grant, input_tokens: int) -> None:
        """The answer began: so many tokens count as input, instead of the estimate."""
        if grant.is_open and input_tokens != grant.input_tokens:
            grant.share.started(grant, input_tokens, time.monotonic())
            self._lines[grant.demand.organization_id].told()

    def produced(self, grant: Grant, output_tokens: int) -> None:
        """So many output tokens have gone by, all in all."""
        if grant.is_open and output_tokens > grant.output_tokens:
            grant.share.produced(grant, output_tokens, time.monotonic())
            self._lines[grant.demand.organization_id].told()

    def settle(self, grant: Grant, charge: Charge) -> None:
        """The request is over and really took this much."""
        if not grant.is_open:
            return
        share, now = grant.share, time.monotonic()
        counted = charged_input(grant.demand.model_class, charge)
        if counted and counted != grant.input_tokens:
            share.started(grant, counted, now)
        share.produced(grant, charge.output_tokens, now)
        share.settle(grant, charge.cost_picos)
        self._lines[grant.demand.organization_id].told()

    def cancel(self, grant: Grant) -> None:
        """It failed before its first token: all that it took is given back."""
        if grant.is_open:
            self._lines[grant.demand.organization_id].cancel(grant)

    def _line(self, organization_id: str) -> Line:
        line = self._lines[organization_id] = Line(Share(organization_id), self._centre, self._lease)
        return line

    def _announced(self, organization_id: str) -> None:
        self._changed(organization_id)
        self._lease.hurry()

    def _changed(self, organization_id: str) -> None:
        """Under the new limits nothing is held, and what runs has to be declared."""
        line = self._lines.get(organization_id)
        if line is not None:
            line.share.suspect(time.monotonic())
            line.draw()

    def _forgotten(self) -> None:
        for line in self._lines.values():
            line.share.forget()

    def _post_credits(self) -> None:
        now, now_us = time.monotonic(), self._lease.now_us()
        for line in self._lines.values():
            if line.share.money.tidy(now, now_us) or line.share.has_credit or line.share.has_news:
                line.draw()
