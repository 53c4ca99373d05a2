"""One admitted request from BEGIN to END: it is on the journal before it goes upstream, and ends exactly once."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from metering import catalogue
from metering.admission import Admission, Grant
from metering.journal import Journal, JournalError
from metering.limits.counting import reported_input
from metering.limits.headers import HeaderLines, rate_limit_headers
from metering.pricing import Charge, PriceTable, price
from metering.records import CLIENT_CLOSED, INTERRUPTED, Begin, End, Progress, Sent

_NO_PRICE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)

logger = logging.getLogger(__name__)


class Seen(Protocol):
    """What an answer has said of itself."""

    usage: dict[str, Any]
    model: str
    message_id: str
    stop_reason: str
    error_type: str

    @property
    def output_estimate(self) -> int: ...


class Prices(Protocol):
    current: PriceTable


class Meter:
    """What every metered request of one process shares."""

    def __init__(self, journal: Journal, prices: Prices, admission: Admission) -> None:
        self.journal = journal
        self.prices = prices
        self.admission = admission

    def begin(self, begin: Begin, grant: Grant | None, now_us: Callable[[], int]) -> "MeteredRequest":
        """`now_us` goes on from `begin.started_at_us`: one clock for the whole request. No grant: no limit counts it.

        Raises `SpoolFull` or `JournalBroken`, what cannot be written down must not be sent; or `LimitsUnavailable`.
        """
        if grant is not None:
            self.admission.confirm(grant)
        try:
            self.journal.begin(begin)
        except JournalError:
            if grant is not None:
                self.admission.cancel(grant)
            raise
        return MeteredRequest(self, begin, grant, now_us)


class MeteredRequest:
    """The attempts of one request. `settle` counts once, however often it is called."""

    __slots__ = (
        "_begin",
        "_is_settled",
        "_meter",
        "_now_us",
        "attempt",
        "first_byte_us",
        "grant",
        "model",
        "upstream_request_id",
    )

    def __init__(self, meter: Meter, begin: Begin, grant: Grant | None, now_us: Callable[[], int]) -> None:
        self._meter = meter
        self._begin = begin
        self._now_us = now_us
        self._is_settled = False
        self.grant = grant
        self.attempt = begin.attempt
        self.model = begin.model
        self.upstream_request_id = ""
        self.first_byte_us: int | None = None

    @property
    def is_settled(self) -> bool:
        return self._is_settled

    def rate_headers(self) -> HeaderLines:
        """How the buckets of this request stand now."""
        return rate_limit_headers(self._meter.admission.states(self.grant.demand)) if self.grant else []

    def progress(self, seen: Seen) -> None:
        """USAGE: what a killed process would have known."""
        self._meter.journal.progress(
            Progress(
                request_id=self._begin.request_id,
                attempt=self.attempt,
                usage=seen.usage,
                output_estimate=seen.output_estimate,
                message_id=seen.message_id,
                model=seen.model,
                upstream_request_id=self.upstream_request_id,
                first_byte_us=self.first_byte_us,
            )
        )

    def count(self, seen: Seen) -> None:
        """Against the limits: what went in, once the answer has said so, and what has come out so far."""
        admission = self._meter.admission
        if self.grant is None:
            return
        if (tokens := reported_input(self.grant.demand.model_class, seen.usage)) > 0:
            admission.started(self.grant, tokens)
        reported = seen.usage.get("output_tokens")
        admission.produced(self.grant, max(seen.output_estimate, reported if isinstance(reported, int) else 0))

    def next_attempt(self, *, upstream: str, status: int, reason: str, error_type: str) -> None:
        """This attempt failed with `status`; another one goes to `upstream`.

        Raises `SpoolFull` or `JournalBroken`: then it must not go, and this attempt stays the last.
        """
        self._meter.journal.sent(
            Sent(
                request_id=self._begin.request_id,
                attempt=self.attempt + 1,
                at_us=self._now_us(),
                upstream=upstream,
                model=self._begin.model,
            )
        )
        self._end(Charge(), outcome="upstream_error", status=status, reason=reason, error_type=error_type)
        self.attempt += 1
        self.upstream_request_id = ""

    def settle(
        self,
        *,
        outcome: str,
        status: int,
        reason: str = "",
        error_type: str = "",
        seen: Seen | None = None,
        is_estimated: bool = False,
    ) -> None:
        """END: price what was used, free what was held. If that raises, it may be settled again, without `seen`."""
        if self._is_settled:
            return
        usage = self._usage(outcome, seen, is_estimated=is_estimated)
        self.model = self._served(seen)
        charge = self._price(usage, seen)
        self._is_settled = True
        self._end(
            charge,
            outcome=outcome,
            status=status,
            reason=reason,
            error_type=error_type or (seen.error_type if seen else ""),
            seen=seen,
            usage=usage,
            is_estimated=is_estimated,
            is_final=True,
        )
        if self.grant is None:
            return
        if usage or (is_estimated and not (seen and seen.error_type)):
            self._meter.admission.settle(self.grant, charge)
        else:  # it failed before its first token
            self._meter.admission.cancel(self.grant)

    def _usage(self, outcome: str, seen: Seen | None, *, is_estimated: bool) -> dict[str, Any]:
        """What is charged. An answer that we gave up before it said anything has read its input all the same."""
        if seen is not None and seen.usage:
            return _with_estimate(seen, is_estimated)
        if is_estimated and outcome in {CLIENT_CLOSED, INTERRUPTED}:
            return {"input_tokens": self._begin.input_estimate, "output_tokens": seen.output_estimate if seen else 0}
        return {}

    def _served(self, seen: Seen | None) -> str:
        """The id of the model that answered, when it is one we have a price for; else of the one asked for."""
        if seen is None or not seen.model:
            return self.model
        known = catalogue.find(seen.model)
        name = known.id if known else seen.model
        table = self._meter.prices.current
        return name if table.row(name, self._begin.started_at_us, 0) is not None else self.model

    def _price(self, usage: Mapping[str, Any], seen: Seen | None) -> Charge:
        """A usage that breaks the arithmetic is kept and marked as unpriced: its END must be written all the same."""
        if not usage:
            return Charge()
        try:
            return price(
                usage,
                model=self.model,
                at_us=self._begin.started_at_us,
                table=self._meter.prices.current,
                stop_reason=seen.stop_reason if seen else None,
            )
        except _NO_PRICE:
            logger.exception("request %s cannot be priced", self._begin.request_id)
            return Charge(is_unpriced=True)

    def _end(
        self,
        charge: Charge,
        *,
        outcome: str,
        status: int,
        reason: str,
        error_type: str,
        seen: Seen | None = None,
        usage: Mapping[str, Any] | None = None,
        is_estimated: bool = False,
        is_final: bool = False,
    ) -> None:
        self._meter.journal.end(
            End(
                request_id=self._begin.request_id,
                attempt=self.attempt,
                is_final=is_final,
                outcome=outcome,
                reason=reason,
                status=status,
                error_type=error_type,
                stop_reason=seen.stop_reason if seen else "",
                model=self.model,
                upstream_request_id=self.upstream_request_id,
                message_id=seen.message_id if seen else "",
                usage=usage or None,
                is_estimated=is_estimated,
                charge=charge,
                first_byte_us=self.first_byte_us,
                duration_us=max(0, self._now_us() - self._begin.started_at_us),
            )
        )


def _with_estimate(seen: Seen, is_estimated: bool) -> dict[str, Any]:
    """The usage that was reported; of a cut answer, at least the output that went by."""
    if not is_estimated:
        return seen.usage
    reported = seen.usage.get("output_tokens")
    known = reported if isinstance(reported, int) else 0
    return {**seen.usage, "output_tokens": max(known, seen.output_estimate)}
