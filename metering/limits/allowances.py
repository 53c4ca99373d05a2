"""What one worker holds of one organization's buckets, and admits out of without asking. Pure: time is an argument.

An allowance may be used for `USE_SECONDS` after it was asked for, and what is left goes back within `RETURN_SECONDS`
of that, or is dropped. Together they are the second for which buckets may run ahead: over any t seconds all workers
admit at most L + L * (t + 1) / 60.
"""

from typing import Any

from metering.limits import buckets
from metering.limits.scopes import BucketKey, BucketState

USE_SECONDS = 0.3
RETURN_SECONDS = 0.7
SHORTEST_SECONDS = 0.25
"""A rate is that of at least so long: a burst is no rate yet."""


class Allowance:
    """The worker's part of one bucket.

    `total` grows by what is given back and shrinks by what was used beyond the allowance; the centre counts what is
    new since the last one it saw, so that it may hear it twice.
    """

    __slots__ = (
        "_asked_at",
        "_before",
        "_now",
        "_since",
        "as_of_us",
        "capacity",
        "held",
        "key",
        "level",
        "posted",
        "total",
    )

    def __init__(self, key: BucketKey, capacity: int) -> None:
        self.key = key
        self.capacity = capacity
        self.held = 0
        self._asked_at = float("-inf")
        self.total = 0
        self.posted = 0
        self.level = capacity * buckets.UNIT
        self.as_of_us = 0
        self._since = float("-inf")
        self._now = 0
        self._before = 0

    def has(self, amount: int, now: float) -> bool:
        return self.held >= amount and now - self._asked_at < USE_SECONDS

    def take(self, amount: int, now: float) -> None:
        """After `has`: what the request uses of it."""
        self.held -= amount
        self.count(amount, now)

    def count(self, amount: int, now: float) -> None:
        """`amount` was used: how much to ask for ahead follows from it."""
        if now - self._since >= 1.0:
            self._before = self._now if now - self._since < 2.0 else 0
            self._now = 0
            self._since = now
        self._now += amount

    def debit(self, amount: int, now: float) -> bool:
        """Used already, held or not. True when it was not all covered: what is owed has to be posted soon."""
        covered = min(amount, self.held) if now - self._asked_at < USE_SECONDS else 0
        self.held -= covered
        self.total -= amount - covered
        self.count(amount, now)
        return covered < amount

    def give_back(self, now: float) -> None:
        """Close the allowance: what is left of it returns to the bucket, if it is not too old for that."""
        if self.held and now - self._asked_at < RETURN_SECONDS:
            self.total += self.held
        self.held = 0

    def want(self, now: float) -> int:
        """To ask for ahead: what was lately used in the time that an allowance can be used."""
        elapsed = now - self._since
        if elapsed >= 2.0:
            return 0
        a_second = max(self._before, self._now / min(1.0, max(elapsed, SHORTEST_SECONDS)))
        return min(int(a_second * USE_SECONDS), self.capacity // 20)

    def lend(self, amount: int, *, asked_at: float) -> None:
        """The centre has taken so much off the bucket, some time after `asked_at`, to be used from here."""
        self.held = amount
        self._asked_at = asked_at

    def note(self, level: int, as_of_us: int) -> None:
        """How the bucket stands at the centre."""
        self.level = level
        self.as_of_us = as_of_us

    def lose(self) -> None:
        self.held = 0

    def state(self, now_us: int) -> BucketState:
        capacity = self.capacity
        level = buckets.refilled(capacity, self.level + self.held * buckets.UNIT, self.as_of_us, now_us)
        return BucketState(self.key, capacity, buckets.whole(level), now_us + buckets.full_after_us(capacity, level))

    def post(self) -> list[Any]:
        return [*self.key, self.total]
