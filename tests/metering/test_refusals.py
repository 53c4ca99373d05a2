"""Coalescing of refusals: arithmetic on a clock that the test brings."""

from math import inf

from metering.refusals import Refusals
from tests.metering.samples import refused


def test_the_first_ten_of_a_second_are_records_of_their_own() -> None:
    refusals = Refusals()

    written = [refusals.offer(refused(f"req_{number}"), now=100.0) for number in range(10)]

    assert [record.request_id for record in written if record] == [f"req_{number}" for number in range(10)]
    assert refusals.due(inf) == []


def test_those_beyond_are_one_record_with_count_first_and_last() -> None:
    refusals = Refusals()
    for number in range(1_000):
        refusals.offer(refused(f"req_{number}"), now=100.0)

    assert refusals.due(now=100.9) == []
    (record,) = refusals.due(now=101.0)

    assert (record.request_id, record.last_request_id, record.count) == ("req_10", "req_999", 990)
    assert refusals.due(inf) == []


def test_another_key_or_reason_is_counted_apart() -> None:
    refusals = Refusals()
    for number in range(12):
        refusals.offer(refused(f"req_{number}"), now=100.0)

    assert refusals.offer(refused("other key", api_key_id="apikey_01globex"), now=100.0)
    assert refusals.offer(refused("other reason", reason="spend"), now=100.0)


def test_the_next_second_begins_afresh() -> None:
    refusals = Refusals()
    for number in range(12):
        refusals.offer(refused(f"req_{number}"), now=100.0)
    refusals.due(now=101.0)

    assert refusals.offer(refused("req_12"), now=101.1)


def test_what_could_not_be_written_is_counted_later() -> None:
    refusals = Refusals()
    record = refused()

    refusals.hold(record, now=100.0)

    assert refusals.due(now=101.0) == [record]
