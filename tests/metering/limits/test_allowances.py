"""What a worker holds of one bucket; `now` in seconds, capacities in requests a minute."""

from metering.limits.allowances import RETURN_SECONDS, USE_SECONDS, Allowance
from metering.limits.buckets import UNIT, full_after_us, refilled, whole
from metering.limits.scopes import BucketKey

KEY = BucketKey("key:apikey_01acme", "", "requests")


def held(amount: int, *, asked_at: float = 0.0) -> Allowance:
    allowance = Allowance(KEY, 600)
    allowance.lend(amount, asked_at=asked_at)
    return allowance


def test_it_is_used_within_its_time_and_no_longer() -> None:
    allowance = held(2)

    assert allowance.has(2, USE_SECONDS - 0.01)
    assert not allowance.has(3, 0.0)
    assert not allowance.has(1, USE_SECONDS)


def test_what_is_left_goes_back_while_it_is_young_enough() -> None:
    young, old = held(5), held(5)

    young.give_back(RETURN_SECONDS - 0.01)
    old.give_back(RETURN_SECONDS)

    assert (young.total, young.held) == (5, 0)
    assert (old.total, old.held) == (0, 0)


def test_use_and_return_together_take_no_longer_than_a_second() -> None:
    assert USE_SECONDS + RETURN_SECONDS <= 1.0


def test_what_is_used_beyond_it_is_owed() -> None:
    allowance = held(5)

    assert not allowance.debit(4, 0.1)
    assert allowance.debit(4, 0.1)

    assert allowance.held == 0
    assert allowance.total == -3


def test_it_asks_ahead_for_what_it_lately_used_and_for_nothing_after_a_silence() -> None:
    allowance = Allowance(KEY, 6000)
    allowance.count(100, 0.0)

    assert allowance.want(0.5) == 60  # 200 a second
    assert allowance.want(1.0) == 30
    assert allowance.want(2.0) == 0


def test_it_never_asks_ahead_for_more_than_a_twentieth() -> None:
    allowance = Allowance(KEY, 600)
    allowance.count(1000, 0.0)

    assert allowance.want(0.5) == 30


def test_a_bucket_refills_by_its_capacity_in_a_minute_and_not_beyond() -> None:
    assert whole(refilled(10, 0, as_of_us=0, now_us=5_999_999)) == 0
    assert whole(refilled(10, 0, as_of_us=0, now_us=6_000_000)) == 1
    assert refilled(10, 0, as_of_us=0, now_us=90_000_000) == 10 * UNIT
    assert refilled(10, 7, as_of_us=60, now_us=0) == 7
    assert full_after_us(10, 5 * UNIT) == 30_000_000
    assert whole(-5) == 0
