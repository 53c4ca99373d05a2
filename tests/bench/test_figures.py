import pytest

from config.bench.figures import difference, middle, per, ratio, spread


def test_a_spread_is_the_median_and_the_99th_percentile() -> None:
    assert spread([value / 1000 for value in range(100, 0, -1)], scale=1000) == {"p50": 51.0, "p99": 100.0}
    assert spread([], scale=1) is None


def test_the_middle_ignores_one_noisy_round_and_what_was_not_measured() -> None:
    assert middle([10.0, 11.0, 900.0]) == 11.0
    assert middle([None, 4.0]) == 4.0
    assert middle([]) is None


def test_what_was_not_measured_stays_unknown() -> None:
    assert per(1.5, 0) is None
    assert per(0.5, 1000, scale=1e6) == pytest.approx(500)
    assert ratio(3.0, None) is None
    assert difference(None, 2.0) is None
