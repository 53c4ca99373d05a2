from datetime import UTC, datetime

import pytest

from metering.api.parameters import BadParameter, Choice, Moment, Texts, read_flag, read_limit

MODELS = Texts("models")
TIERS = Texts("service_tiers", ("standard", "batch", "priority"))
WIDTH = Choice("bucket_width", ("1d", "1h"))
START = Moment("starting_at")


@pytest.mark.parametrize("query", [{"models[]": ["a", "b"]}, {"models": ["a", "b"]}, {"models": ["a,b"]}])
def test_a_list_has_three_spellings(query: dict[str, list[str]]) -> None:
    assert MODELS.read(query) == ["a", "b"]


def test_a_list_may_be_absent_empty_or_repeat_itself() -> None:
    assert MODELS.read({}) == MODELS.read({"models[]": [""]}) == []
    assert MODELS.read({"models[]": ["a", "a"], "models": ["a"]}) == ["a"]


def test_a_value_outside_the_choices_is_named_with_its_place() -> None:
    with pytest.raises(BadParameter) as caught:
        TIERS.read({"service_tiers[]": ["standard", "gold"]})

    assert str(caught.value) == "service_tiers.1: Input should be 'standard', 'batch' or 'priority'"


def test_the_first_choice_is_the_default() -> None:
    assert WIDTH.read({}) == "1d"
    with pytest.raises(BadParameter, match="bucket_width: Input should be '1d' or '1h'"):
        WIDTH.read({"bucket_width": ["1w"]})


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T10:00:00Z", "2026-11-20T12:00:00+02:00", "2026-11-20T12:00:00 02:00", "2026-11-20T10:00:00.000000Z"],
)
def test_a_moment_is_read_into_utc(text: str) -> None:
    assert START.read({"starting_at": [text]}) == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_day_is_its_midnight() -> None:
    assert START.read({"starting_at": ["2026-11-20"]}) == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="starting_at: Input should be a valid datetime"):
        START.read({"starting_at": [text]})


def test_a_moment_may_be_required() -> None:
    with pytest.raises(BadParameter, match="starting_at: Field required"):
        START.required({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "greater than or equal to 1"),
        ("32", "less than or equal to 31"),
        ("many", "valid integer"),
    ],
)
def test_a_limit_has_bounds(text: str, message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        read_limit({"limit": [text]}, default=7, largest=31)


def test_a_limit_has_a_default() -> None:
    assert read_limit({}, default=7, largest=31) == 7
    assert read_limit({"limit": ["31"]}, default=7, largest=31) == 31


def test_a_flag_is_true_only_when_it_says_so() -> None:
    assert read_flag({"x": ["true"]}, "x")
    assert not read_flag({}, "x")
    with pytest.raises(BadParameter, match="x: Input should be a valid boolean"):
        read_flag({"x": ["perhaps"]}, "x")
