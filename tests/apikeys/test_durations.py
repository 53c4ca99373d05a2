from datetime import timedelta

import pytest

from apikeys.durations import parse


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("45m", timedelta(minutes=45)),
        ("3h", timedelta(hours=3)),
        (" 30D ", timedelta(days=30)),
        ("12w", timedelta(weeks=12)),
    ],
)
def test_lengths_of_time_are_read(text: str, length: timedelta) -> None:
    assert parse(text) == length


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "0d", "1.5h", "1y", "999999999w", "36501d", "1d2h", "٣d"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"“{text}”"):
        parse(text)
