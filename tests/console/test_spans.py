from datetime import UTC, datetime

import pytest

from metering.console.spans import read_span
from metering.reports import Every

NOW = datetime(2026, 11, 21, 8, 40, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "start", "end", "every"),
    [
        ("today", "2026-11-21", "2026-11-22", Every.HOUR),
        ("24h", "2026-11-20T09:00", "2026-11-21T09:00", Every.HOUR),
        ("7d", "2026-11-15", "2026-11-22", Every.DAY),
        ("30d", "2026-10-23", "2026-11-22", Every.DAY),
        ("month", "2026-11-01", "2026-11-22", Every.DAY),
        ("last-month", "2026-10-01", "2026-11-01", Every.DAY),
        ("nonsense", "2026-10-23", "2026-11-22", Every.DAY),
    ],
)
def test_named_spans_end_with_whole_steps(name: str, start: str, end: str, every: Every) -> None:
    span = read_span({"range": name}, NOW)

    assert (span.start, span.end, span.every) == (at(start), at(end), every)


def test_a_custom_span_includes_both_days_in_either_order() -> None:
    span = read_span({"range": "custom", "from": "2026-11-03", "to": "2026-11-01"}, NOW)

    assert (span.start, span.end) == (at("2026-11-01"), at("2026-11-04"))
    assert span.title == "2026-11-01 to 2026-11-03"


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01", "9999-12-31", "2026-13-01"])
def test_what_is_no_day_counts_as_today(text: str) -> None:
    span = read_span({"from": text or " ", "to": text}, NOW)

    assert (span.start, span.end) == (at("2026-11-21"), at("2026-11-22"))


def test_an_endless_span_is_cut_to_the_latest_part() -> None:
    span = read_span({"from": "2010-01-01", "to": "2026-11-21"}, NOW)

    assert (span.end - span.start).days == 401
    assert span.end == at("2026-11-22")


def test_every_step_of_the_axis_is_there() -> None:
    span = read_span({"range": "24h"}, NOW)

    assert len(span.starts) == 24
    assert span.starts[0] == span.start
    assert span.starts[-1] == at("2026-11-21T08:00")
