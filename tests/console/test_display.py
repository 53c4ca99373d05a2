import pytest

from metering import display


@pytest.mark.parametrize(
    ("picos", "places", "text"),
    [
        (0, 2, "$0.00"),
        (0, 6, "$0.00"),
        (1, 2, "<$0.01"),
        (4_999_999_999, 2, "<$0.01"),
        (5_000_000_000, 2, "$0.01"),
        (1_234_565_000_000_000, 2, "$1,234.57"),
        (43_082_250_000, 6, "$0.043082"),
        (-1_500_000_000_000, 2, "-$1.50"),
        (10**30, 2, "$1,000,000,000,000,000,000.00"),
    ],
)
def test_dollars_are_rounded_half_up_and_something_never_reads_as_nothing(picos: int, places: int, text: str) -> None:
    assert display.usd(picos, places=places) == text


def test_a_price_reads_as_in_price_lists() -> None:
    assert display.per_million(3_750_000) == "3.75"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1_000, "1.0k"), (12_345_678, "12.3M"), (123_456_789, "123M")]
)
def test_headline_numbers_have_three_digits(number: int, text: str) -> None:
    assert display.short(number) == text


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(None, "–"), (400, "0 ms"), (830_000, "830 ms"), (1_240_000, "1.24 s"), (125_000_000, "2 min 5 s")],
)
def test_durations(microseconds: int | None, text: str) -> None:
    assert display.duration(microseconds) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"), [(0, 10, "0 %"), (1, 0, "0 %"), (1, 24, "4.2 %"), (1, 5_000, "<0.1 %")]
)
def test_percentages(part: int, whole: int, text: str) -> None:
    assert display.percent(part, whole) == text
