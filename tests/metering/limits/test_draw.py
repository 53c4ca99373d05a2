"""The centre's function, as workers use it."""

import pytest

from metering.limits.share import Grant
from tests.metering.limits.clock import Clock
from tests.metering.limits.drawn import KEY_SCOPE, Worker, asked, demand, limit

pytestmark = pytest.mark.django_db


def granted(results: list[object]) -> int:
    return sum(isinstance(result, Grant) for result in results)


def test_ten_a_minute_admit_ten_at_once_and_one_for_each_six_seconds(clock: Clock) -> None:
    limit("requests", 10)
    worker = Worker()

    assert granted(worker.draw(*[demand()] * 500, now=0.0)) == 10
    clock.set(5.999_999)
    assert worker.admit(demand(), now=6.0) is None
    clock.set(6.0)
    assert worker.admit(demand(), now=6.0) is not None
    clock.set(12.0)
    assert granted(worker.draw(demand(), demand(), now=12.0)) == 1


def test_a_refusal_says_what_was_short_and_when_to_come_back(clock: Clock) -> None:
    limit("requests", 10)
    worker = Worker()

    refusal = worker.draw(*[demand()] * 11, now=0.0)[-1]

    assert refusal["kind"] == "requests"
    assert refusal["capacity"] == 10
    assert refusal["wait_us"] == 6_000_000
    assert refusal["full_us"] == (1_795_003_200 + 60) * 1_000_000


def test_a_request_takes_from_all_its_buckets_or_from_none(clock: Clock) -> None:
    limit("requests", 100)
    limit("input_tokens", 1000, scope=KEY_SCOPE)
    worker = Worker()

    assert granted(worker.draw(demand(600), demand(600), demand(400), now=0.0)) == 2

    states = {state.key.kind: state.remaining for state in worker.share.states(demand(), 1_795_003_200_000_000)}
    assert states == {"requests": 98, "input_tokens": 0}


def test_a_class_has_its_own_bucket(clock: Clock) -> None:
    limit("requests", 1, model_class="Sonnet 5")
    limit("requests", 1, model_class="Opus 5")
    worker = Worker()

    results = worker.draw(demand(), demand(), demand(model_class="Opus 5"), demand(model_class="Haiku 4.5"), now=0.0)

    assert [isinstance(result, Grant) for result in results] == [True, False, True, True]


def test_an_estimate_larger_than_the_limit_needs_a_full_bucket(clock: Clock) -> None:
    limit("input_tokens", 60)
    worker = Worker()

    assert worker.admit(demand(90), now=0.0) is not None
    clock.set(30.0)
    assert worker.admit(demand(1), now=30.0) is None
    clock.set(31.0)
    assert worker.admit(demand(1), now=31.0) is not None


def test_a_repeat_of_a_draw_has_the_first_answer_and_changes_nothing(clock: Clock) -> None:
    limit("requests", 10)
    worker = Worker()
    ask = worker.ask(demand(), now=0.0)

    first = worker.call(ask)

    assert worker.call(ask) == first
    assert granted(worker.share.hear(ask, first, 0.0)) == 1
    assert granted(worker.draw(*[demand()] * 20, now=0.0)) == 9


def test_a_draw_that_comes_late_does_nothing(clock: Clock) -> None:
    limit("requests", 10)
    worker = Worker()
    lost = worker.ask(*[demand()] * 5, now=0.0)
    number = worker.share.seq
    worker.share.fail(lost)
    worker.draw(demand(), now=0.0)

    assert worker.call(lost, number=number) == {"is_late": True}
    assert granted(worker.draw(*[demand()] * 20, now=0.0)) == 9


def test_a_worker_that_was_struck_off_is_told(clock: Clock) -> None:
    limit("requests", 10)
    worker = Worker()
    worker.id = type(worker.id)(int=1)

    assert worker.call(worker.ask(demand(), now=0.0)) == {"is_forgotten": True}


def test_what_was_given_back_is_counted_once_however_often_it_is_told(clock: Clock) -> None:
    limit("requests", 10)
    worker = Worker()
    grants = worker.draw(*[demand()] * 10, now=0.0)
    for grant in grants[:3]:
        worker.share.cancel(grant)
        worker.share.cancel(grant)
    lost = worker.ask(now=0.0)
    worker.call(lost)
    worker.share.fail(lost)

    assert granted(worker.draw(*[demand()] * 10, now=0.0)) == 3


def test_the_true_input_replaces_the_estimate(clock: Clock) -> None:
    limit("input_tokens", 1000)
    worker = Worker()
    (grant,) = worker.draw(demand(900), now=0.0)

    worker.share.started(grant, 100, 0.0)
    worker.share.settle(grant)

    assert granted(worker.draw(demand(900), demand(1), now=0.0)) == 1


def test_output_may_overdraw_and_is_paid_back_by_waiting(clock: Clock) -> None:
    limit("output_tokens", 60)
    worker, other = Worker(), Worker()
    (grant,) = worker.draw(demand(), now=0.0)
    worker.share.produced(grant, 90, 0.0)
    assert worker.share.owes

    worker.draw(now=0.0)

    assert other.admit(demand(), now=0.0) is None
    clock.set(30.0)
    assert other.admit(demand(), now=30.0) is None
    clock.set(30.1)
    assert other.admit(demand(), now=30.1) is not None


def test_a_step_back_of_the_clock_refills_nothing_and_a_step_forward_one_capacity(clock: Clock) -> None:
    limit("requests", 10)
    worker = Worker()
    worker.draw(*[demand()] * 10, now=0.0)

    clock.set(-3600.0)
    assert worker.admit(demand(), now=0.1) is None
    clock.set(-3594.0)
    assert worker.admit(demand(), now=6.1) is not None
    clock.set(3600.0)
    assert granted(worker.draw(*[demand()] * 30, now=6.2)) == 10


def test_a_lowered_limit_holds_from_the_next_draw(clock: Clock) -> None:
    limit("requests", 1000)
    worker = Worker()
    worker.draw(*[demand()] * 10, now=0.0)

    limit("requests", 5)

    assert granted(worker.draw(*[demand()] * 10, now=0.0)) == 5


def test_with_plenty_left_a_second_draw_takes_ahead_and_spares_the_next(clock: Clock) -> None:
    limit("requests", 10_000)
    worker = Worker()
    for _ in range(2):
        worker.draw(*[demand()] * 100, now=0.0)

    assert sum(worker.share.take(demand(), 0.1) is not None for _ in range(200)) == 120
    worker.draw(demand(), now=0.2)
    assert worker.share.take(demand(), 0.5) is None  # void


def test_concurrency_counts_what_all_workers_run(clock: Clock) -> None:
    limit("concurrency", 2)
    one, other = Worker(), Worker()
    first, second = one.admit(demand(), now=0.0), other.admit(demand(), now=0.0)
    assert first is not None
    assert second is not None
    assert other.draw(demand(), now=0.0) == [
        {"short": "slot", "scope": f"org:{demand().organization_id}", "capacity": 2}
    ]

    one.share.settle(first)
    one.draw(now=0.0)

    assert other.admit(demand(), now=0.0) is not None
    assert one.admit(demand(), now=0.0) is None


def test_running_requests_count_under_a_limit_that_comes_later(clock: Clock) -> None:
    limit("requests", 1000)
    worker = Worker()
    for _ in range(3):
        worker.admit(demand(), now=0.0)

    limit("concurrency", 2)

    assert worker.draw(demand(), now=0.0)[0]["short"] == "slot"


def test_a_lost_answer_holds_no_slot_for_long(clock: Clock) -> None:
    limit("concurrency", 1)
    worker = Worker()
    worker.draw(now=0.0)
    lost = worker.ask(demand(), now=0.0)
    worker.call(lost)
    worker.share.fail(lost)

    assert worker.admit(demand(), now=0.0) is not None


def test_a_dead_worker_s_slots_are_free_and_one_that_returns_declares_them(clock: Clock) -> None:
    limit("concurrency", 1)
    dead, other = Worker(), Worker()
    dead.admit(demand(), now=0.0)

    assert asked("tollgate_bury", dead.id, dead.number)
    assert other.admit(demand(), now=0.0) is not None
    dead.beat()

    assert other.draw(demand(), now=0.0)[0]["short"] == "slot"
    for grant_worker in (other, dead):
        assert grant_worker.draw(demand(), now=0.0)[0]["short"] == "slot"


def test_a_heartbeat_does_not_overwrite_what_a_later_draw_has_said(clock: Clock) -> None:
    limit("concurrency", 5)
    worker, other = Worker(), Worker()
    worker.admit(demand(), now=0.0)
    before = worker.share.seq, worker.share.slots.declared()
    worker.admit(demand(), now=0.0)
    worker.share.seq, stale = before[0], worker.share.seq
    worker.share.slots._told = dict(before[1])  # a heartbeat composed before the second draw

    worker.beat()
    worker.share.seq = stale

    assert granted(other.draw(*[demand()] * 5, now=0.0)) == 3


def test_a_heartbeat_tells_whose_limits_have_changed(clock: Clock) -> None:
    limit("requests", 5)
    worker = Worker()
    worker.draw(demand(), now=0.0)
    assert worker.beat()["changed"] == []

    limit("requests", 6)

    assert worker.beat()["changed"] == [demand().organization_id]
