"""What becomes of requests whose process has died: `interrupted`, with what was known of them. Pure.

Each is closed as the process itself would have closed it had it known that it would die: every attempt without END
gets one, exactly one is final. Usage is what the last progress said, else the estimate made when it began.
"""

from collections.abc import Iterator
from typing import Any

from metering import rows
from metering.pricing import Charge, PriceTable, price
from metering.records import INTERRUPTED, End, Progress
from metering.running import RunningRequest

REASON = "process_died"


def interrupted(request: RunningRequest, table: PriceTable) -> Iterator[rows.Row]:
    """The rows of a request that nobody will end any more; the last one is final."""
    attempts = [request.begin.attempt, *sorted(request.upstreams)]
    last = attempts[-1]
    for attempt in attempts[:-1]:
        if attempt not in request.ended:
            yield _row(request, _end(request, attempt, Charge(), is_final=False))
    if last in request.ended:  # it died between two attempts: the next one never left
        yield _row(request, _end(request, last + 1, Charge(), is_final=True))
    else:
        yield _row(request, _last_end(request, last, table))


def _last_end(request: RunningRequest, attempt: int, table: PriceTable) -> End:
    begin = request.begin
    progress = request.progress if request.progress and request.progress.attempt == attempt else None
    usage = _usage(progress, begin.input_estimate)
    sent = request.upstreams.get(attempt)
    model = (progress.model if progress else "") or (sent.model if sent else "") or begin.model
    end = _end(request, attempt, price(usage, model=model, at_us=begin.started_at_us, table=table), is_final=True)
    end.model = model
    end.usage = usage
    end.is_estimated = True
    if progress:
        end.message_id = progress.message_id
        end.upstream_request_id = progress.upstream_request_id
        end.first_byte_us = progress.first_byte_us
    return end


def _usage(progress: Progress | None, input_estimate: int) -> dict[str, Any]:
    """The counts last seen, with at least the output that had gone by."""
    if progress is None or not progress.usage:
        return {"input_tokens": input_estimate, "output_tokens": progress.output_estimate if progress else 0}
    reported = progress.usage.get("output_tokens")
    known = reported if isinstance(reported, int) else 0
    return {**progress.usage, "output_tokens": max(known, progress.output_estimate)}


def _end(request: RunningRequest, attempt: int, charge: Charge, *, is_final: bool) -> End:
    return End(
        request_id=request.begin.request_id,
        attempt=attempt,
        is_final=is_final,
        outcome=INTERRUPTED,
        reason=REASON,
        status=0,
        model=request.begin.model,
        charge=charge,
        duration_us=None,
    )


def _row(request: RunningRequest, end: End) -> rows.Row:
    return rows.of_attempt(request.begin, end, request.upstream(end.attempt))
