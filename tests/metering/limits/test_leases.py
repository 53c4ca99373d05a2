"""Who is dead, as one worker sees it on its own clock."""

from metering.limits.leases import Observed


def test_a_number_that_stays_for_fifteen_seconds_is_a_dead_worker_s() -> None:
    observed = Observed()
    assert observed.standing_still({"a": 1, "b": 1}, 0.0) == []
    assert observed.standing_still({"a": 1, "b": 2}, 14.9) == []

    assert observed.standing_still({"a": 1, "b": 2}, 15.0) == [("a", 1)]


def test_time_in_which_nobody_could_look_does_not_count() -> None:
    observed = Observed()
    observed.standing_still({"a": 1}, 0.0)

    observed.interrupted()

    assert observed.standing_still({"a": 1}, 60.0) == []
    assert observed.standing_still({"a": 1}, 74.9) == []
    assert observed.standing_still({"a": 1}, 75.0) == [("a", 1)]
