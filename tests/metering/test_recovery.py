"""What becomes of requests whose process has died."""

from metering.price_list import SHIPPED
from metering.pricing import PriceTable
from metering.records import Progress, Record, Sent
from metering.recovery import interrupted
from metering.rows import SHIPPED as SHIPPED_COLUMNS
from metering.running import Position, RunningRequest, RunningRequests
from tests.metering.samples import begin, end, progress

TABLE = PriceTable(SHIPPED)


def _left(*records: Record) -> RunningRequest:
    requests = RunningRequests()
    for offset, record in enumerate(records):
        requests.apply(record, Position(1, offset))
    (request,) = requests
    return request


def _rows(*records: Record) -> list[dict[str, object]]:
    return [dict(zip(SHIPPED_COLUMNS, row, strict=True)) for row in interrupted(_left(*records), TABLE)]


def _sent(attempt: int = 2) -> Sent:
    return Sent(request_id="req_1", attempt=attempt, at_us=0, upstream="other", model="claude-opus-4-1-20250805")


def test_one_that_had_only_begun_has_its_estimate() -> None:
    (row,) = _rows(begin(input_estimate=1_000))

    assert (row["outcome"], row["reason"], row["is_final"], row["requests"]) == ("interrupted", "process_died", True, 1)
    assert (row["is_estimated"], row["uncached_input_tokens"], row["output_tokens"]) == (True, 1_000, 0)
    assert row["cost_picos"] == 1_000 * 3_000_000  # 3 USD a million


def test_one_under_way_has_what_was_seen_and_what_had_gone_by() -> None:
    (row,) = _rows(
        begin(),
        progress(output_estimate=2),
        progress(
            usage={"input_tokens": 12, "output_tokens": 1},
            output_estimate=40,
            message_id="msg_01",
            upstream_request_id="req_up",
            first_byte_us=2_000,
        ),
    )

    assert (row["uncached_input_tokens"], row["output_tokens"], row["is_estimated"]) == (12, 40, True)
    assert row["cost_picos"] == 12 * 3_000_000 + 40 * 15_000_000
    assert (row["message_id"], row["upstream_request_id"], row["first_byte_us"]) == ("msg_01", "req_up", 2_000)
    assert row["duration_us"] is None


def test_a_count_above_the_estimate_is_believed() -> None:
    (row,) = _rows(begin(), progress(usage={"input_tokens": 12, "output_tokens": 90}, output_estimate=40))

    assert row["output_tokens"] == 90


def test_without_usage_the_output_that_went_by_counts_with_the_input_estimate() -> None:
    (row,) = _rows(begin(input_estimate=10), progress(usage=None, output_estimate=40))

    assert (row["uncached_input_tokens"], row["output_tokens"]) == (10, 40)


def test_only_its_last_attempt_is_final() -> None:
    rows = _rows(begin(), _sent())

    assert [(row["attempt"], row["is_final"], row["upstream"], row["cost_picos"]) for row in rows] == [
        (1, False, "simulator", 0),
        (2, True, "other", 10 * 15_000_000),
    ]


def test_an_attempt_that_ended_is_not_ended_again() -> None:
    rows = _rows(begin(), end(is_final=False, outcome="upstream_error", status=529), _sent())

    assert [(row["attempt"], row["is_final"]) for row in rows] == [(2, True)]


def test_between_two_attempts_nothing_was_under_way() -> None:
    rows = _rows(begin(), end(is_final=False, outcome="upstream_error", status=529))

    assert [(row["attempt"], row["is_final"], row["requests"], row["cost_picos"]) for row in rows] == [(2, True, 1, 0)]


def test_progress_of_an_earlier_attempt_says_nothing_of_the_last() -> None:
    rows = _rows(begin(), progress(output_estimate=500), _sent())

    assert rows[-1]["output_tokens"] == 0


def test_an_unknown_model_is_unpriced() -> None:
    (row,) = _rows(begin(model="house-model"))

    assert (row["is_unpriced"], row["cost_picos"]) == (True, 0)


def test_odd_usage_does_not_stop_it() -> None:
    odd = Progress(request_id="req_1", attempt=1, usage={"input_tokens": "many", "output_tokens": -5, "iterations": 3})

    (row,) = _rows(begin(), odd)

    assert (row["uncached_input_tokens"], row["output_tokens"]) == (0, 0)
