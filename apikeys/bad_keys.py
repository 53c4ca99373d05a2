"""How many bad keys one address may send: arithmetic alone, the caller brings the clock."""

import ipaddress
from math import ceil

CAPACITY = 60
REFILL_PER_SECOND = 1.0
MOST_ADDRESSES = 10_000


class BadKeys:
    """A bucket of `CAPACITY` mistakes for each address; one flows back each second. An IPv6 /64 is one address."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}  # address -> (level, as of)

    def retry_after_seconds(self, address: str, now: float) -> int:
        """0 when this address may try a key that nobody knows; else whole seconds until it may."""
        level = self._level(_source(address), now)
        return 0 if level >= 1 else ceil((1 - level) / REFILL_PER_SECOND)

    def count(self, address: str, now: float) -> None:
        """One more bad key from `address`."""
        source = _source(address)
        self._buckets[source] = (max(0.0, self._level(source, now) - 1), now)
        if len(self._buckets) > MOST_ADDRESSES:
            self._tidy(now)

    def _level(self, source: str, now: float) -> float:
        level, as_of = self._buckets.get(source, (CAPACITY, now))
        return min(CAPACITY, level + max(0.0, now - as_of) * REFILL_PER_SECOND)

    def _tidy(self, now: float) -> None:
        """Drop full buckets, then the fullest half: who has sent most is remembered longest."""
        levels = {source: self._level(source, now) for source in self._buckets}
        emptiest = sorted((source for source in levels if levels[source] < CAPACITY), key=levels.__getitem__)
        self._buckets = {source: self._buckets[source] for source in emptiest[: MOST_ADDRESSES // 2]}


def _source(address: str) -> str:
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))
