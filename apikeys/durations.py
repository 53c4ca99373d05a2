"""Lengths of time as people type them: `3h`, `30d`. No clock."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=100 * 365)


def parse(text: str) -> timedelta:
    """`90s`, `45m`, `3h`, `30d` or `12w`. Raises ValueError, with words for a person, on anything else."""
    match = re.fullmatch(r"([0-9]{1,9})([smhdw])", text.strip().lower())
    if match is None or not int(match[1]):
        raise ValueError(f"“{text}” is no length of time; write 45m, 3h, 30d or 12w")
    try:
        length = timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        length = timedelta.max
    if length > _LONGEST:
        raise ValueError(f"“{text}” is longer than 100 years")
    return length
