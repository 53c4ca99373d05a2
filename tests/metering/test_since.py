from datetime import UTC, datetime

import pytest

from metering.since import parse

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01", "2026-11-01T00:00:00+00:00"),
        ("2026-11-01T10:30", "2026-11-01T10:30:00+00:00"),
        ("2026-11-01T10:30:00+02:00", "2026-11-01T08:30:00+00:00"),
        ("2026-11-01T10:30:00Z", "2026-11-01T10:30:00+00:00"),
        ("90m", "2026-11-20T10:30:00+00:00"),
        ("24h", "2026-11-19T12:00:00+00:00"),
        ("7d", "2026-11-13T12:00:00+00:00"),
        ("2w", "2026-11-06T12:00:00+00:00"),
    ],
)
def test_a_day_a_moment_or_so_long_ago(text: str, expected: str) -> None:
    assert parse(text, NOW).isoformat() == expected


@pytest.mark.parametrize("text", ["", "yesterday", "7", "d7", "-7d", "7 d", "999999w", "0d", "2026-02-30"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="2026-11-01"):
        parse(text, NOW)
