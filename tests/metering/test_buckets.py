from datetime import UTC, datetime

import pytest

from metering.api.buckets import WIDTHS, Page, page_of, snap
from metering.api.parameters import BadParameter


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOW = _at("2026-11-20T14:35:20")


def _page(start: str, end: str | None = None, width: str = "1d", limit: int = 7, token: str | None = None) -> Page:
    return page_of(
        starting_at=_at(start),
        ending_at=_at(end) if end else None,
        now=NOW,
        width=WIDTHS[width],
        limit=limit,
        token=token,
    )


@pytest.mark.parametrize(
    ("width", "expected"), [("1m", "2026-11-20T14:35"), ("1h", "2026-11-20T14:00"), ("1d", "2026-11-20")]
)
def test_a_moment_lies_in_the_bucket_that_began_before_it(width: str, expected: str) -> None:
    assert snap(NOW, WIDTHS[width]) == _at(expected)


def test_buckets_follow_each_other_without_a_gap() -> None:
    buckets = list(_page("2026-11-01", "2026-11-04").buckets())

    assert buckets == [
        (_at("2026-11-01"), _at("2026-11-02")),
        (_at("2026-11-02"), _at("2026-11-03")),
        (_at("2026-11-03"), _at("2026-11-04")),
    ]


def test_without_an_end_the_current_bucket_is_the_last() -> None:
    buckets = list(_page("2026-11-20T12:10", width="1h", limit=24).buckets())

    assert buckets[0][0] == _at("2026-11-20T12:00")
    assert buckets[-1] == (_at("2026-11-20T14:00"), _at("2026-11-20T15:00"))


def test_a_bucket_that_does_not_end_in_time_is_left_out() -> None:
    assert len(list(_page("2026-11-01", "2026-11-03T12:00").buckets())) == 2


def test_pages_lead_from_one_to_the_next_and_end() -> None:
    first = _page("2026-11-01", "2026-11-06", limit=2)
    second = _page("2026-11-01", "2026-11-06", limit=2, token=first.next_page)
    third = _page("2026-11-01", "2026-11-06", limit=2, token=second.next_page)

    assert [len(list(page.buckets())) for page in (first, second, third)] == [2, 2, 1]
    assert second.start == first.end
    assert third.next_page is None


def test_a_page_that_just_fits_is_the_last() -> None:
    assert _page("2026-11-01", "2026-11-03", limit=2).next_page is None


@pytest.mark.parametrize("token", ["page_", "page_!!", "x", "page_MjAyNg", "page_MjAyNi0xMC0wMVQwMDowMDowMFo"])
def test_a_token_that_is_not_of_this_report_is_refused(token: str) -> None:
    with pytest.raises(BadParameter, match="page"):
        _page("2026-11-01", token=token)


def test_the_end_must_follow_the_start() -> None:
    with pytest.raises(BadParameter, match="ending_at"):
        _page("2026-11-02", "2026-11-02")


@pytest.mark.parametrize("start", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_time_are_harmless(start: str) -> None:
    try:
        page = _page(start, width="1d", limit=31)
    except BadParameter as error:
        assert "starting_at" in str(error)  # noqa: PT017
    else:
        assert len(list(page.buckets())) <= 31
