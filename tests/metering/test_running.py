"""Records of one journal, taken in one by one."""

import pytest

from metering.records import Sent
from metering.rows import COLUMNS, SHIPPED
from metering.running import NotBegun, Position, RunningRequests
from metering.shipment import DIMENSIONS
from tests.metering.samples import ACME, begin, charge, end, progress, refused


def _at(offset: int) -> Position:
    return Position(1, offset)


def _row(values: tuple[object, ...]) -> dict[str, object]:
    return dict(zip(SHIPPED, values, strict=True))


def test_a_request_is_a_row_once_it_has_ended() -> None:
    requests = RunningRequests()

    assert requests.apply(begin(), _at(0)) is None
    assert requests.apply(progress(), _at(10)) is None
    row = _row(requests.apply(end(), _at(20)) or ())

    assert len(requests) == 0
    assert row["started_at"].isoformat() == "2026-11-18T12:00:00+00:00"
    assert (row["request_id"], row["attempt"], row["is_final"], row["requests"]) == ("req_1", 1, True, 1)
    assert (row["organization_id"], row["upstream"], row["outcome"]) == (ACME, "simulator", "completed")
    assert (row["output_tokens"], row["cost_picos"], row["service_tier"]) == (87, charge().cost_picos, "standard")
    assert (row["is_estimated"], row["is_unpriced"], row["status"], row["duration_us"]) == (False, False, 200, 50_000)


def test_reading_starts_again_at_the_oldest_running_request() -> None:
    requests = RunningRequests()
    for number in range(3):
        requests.apply(begin(f"req_{number}"), _at(number))

    requests.apply(end("req_0"), _at(3))
    assert requests.oldest == _at(1)

    requests.apply(begin("req_1"), _at(4))  # told again
    assert requests.oldest == _at(2)

    requests.apply(end("req_2"), _at(5))
    requests.apply(end("req_1"), _at(6))
    assert requests.oldest is None


def test_a_request_that_is_told_again_keeps_what_was_known() -> None:
    requests = RunningRequests()
    sent = Sent(request_id="req_1", attempt=2, at_us=0, upstream="other", model="m")
    requests.apply(begin(), _at(0))
    requests.apply(sent, _at(1))
    requests.apply(begin(), _at(2))
    requests.apply(sent, _at(3))

    row = _row(requests.apply(end(attempt=2), _at(4)) or ())

    assert (row["upstream"], row["attempt"]) == ("other", 2)


def test_each_attempt_is_a_row_and_one_of_them_counts() -> None:
    requests = RunningRequests()
    requests.apply(begin(), _at(0))
    first = _row(requests.apply(end(is_final=False, outcome="upstream_error", status=529), _at(1)) or ())
    requests.apply(Sent(request_id="req_1", attempt=2, at_us=0, upstream="other", model="m"), _at(2))
    second = _row(requests.apply(end(attempt=2), _at(3)) or ())

    assert [(row["attempt"], row["is_final"], row["requests"], row["upstream"]) for row in (first, second)] == [
        (1, False, 0, "simulator"),
        (2, True, 1, "other"),
    ]


def test_a_refusal_is_a_row_at_once_and_counts_what_it_stands_for() -> None:
    row = _row(RunningRequests().apply(refused(count=990, last_request_id="req_999"), _at(0)) or ())

    assert (row["requests"], row["last_request_id"], row["outcome"], row["status"]) == (990, "req_999", "refused", 429)
    assert (row["cost_picos"], row["usage"], row["reason"]) == (0, None, "rate_limit")


@pytest.mark.parametrize("record", [end(), progress()])
def test_a_record_without_begin_is_no_request(record: object) -> None:
    with pytest.raises(NotBegun):
        RunningRequests().apply(record, _at(0))


def test_texts_are_cut_to_their_columns() -> None:
    requests = RunningRequests()
    requests.apply(begin(requested_model="m" * 300, user_agent="u" * 300, client_retry_count=100_000), _at(0))

    row = _row(requests.apply(end(stop_reason="s" * 100, error_type="e" * 100), _at(1)) or ())

    lengths = {name: len(str(row[name])) for name in ("requested_model", "user_agent", "stop_reason", "error_type")}
    assert lengths == {"requested_model": 200, "user_agent": 200, "stop_reason": 60, "error_type": 60}
    assert row["client_retry_count"] == 32_767


def test_the_names_are_those_of_the_tables() -> None:
    from metering.models import Rollup, Tokens, UsageRecord
    from metering.rows import SUMS

    assert set(COLUMNS) == {field.name for field in UsageRecord._meta.concrete_fields} - {"pk"}
    assert set(SUMS) == {field.name for field in Tokens._meta.get_fields()}
    assert set(DIMENSIONS) == set(Rollup.KEY)
