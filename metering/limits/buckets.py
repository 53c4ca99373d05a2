"""Token-bucket arithmetic, as the centre does it: no clock, the caller brings the time. Integers only.

A level is in units of 1/60,000,000 of a request or token, so that a bucket of `capacity` a minute refills by exactly
`capacity` units a microsecond.
"""

UNIT = 60_000_000
"""Of one request or token; also the microseconds of a minute."""

NEVER_US = 86_400_000_000
"""What stands for "never" where a bucket holds nothing: a day."""


def refilled(capacity: int, level: int, as_of_us: int, now_us: int) -> int:
    """The level at `now_us`. A clock that stepped back refills nothing."""
    return min(capacity * UNIT, level + capacity * max(0, now_us - as_of_us))


def full_after_us(capacity: int, level: int) -> int:
    """How long until the bucket is full again; 0 when it is."""
    return UNIT - level // capacity if capacity else NEVER_US


def whole(level: int) -> int:
    """Requests or tokens that are left: never below 0."""
    return max(0, level // UNIT)
