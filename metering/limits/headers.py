"""The `anthropic-ratelimit-*` headers of an answer: how the caller's own buckets stand. Pure.

Of each kind the bucket with the least left speaks. `tokens` is that of a workspace or a key where one of theirs is the
tightest, else input and output together. Tokens left are told to the nearest thousand, as the API does.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from metering.limits.scopes import BucketState

HeaderLines = list[tuple[bytes, bytes]]

_NAMES = {"requests": b"requests", "input_tokens": b"input-tokens", "output_tokens": b"output-tokens"}


def rate_limit_headers(states: Iterable[BucketState]) -> HeaderLines:
    """None where no rate is limited."""
    tightest: dict[str, BucketState] = {}
    for state in states:
        kind = state.key.kind
        if kind not in tightest or _room(state) < _room(tightest[kind]):
            tightest[kind] = state
    lines: HeaderLines = []
    for kind, name in _NAMES.items():
        if kind in tightest:
            state = tightest[kind]
            left = state.remaining if kind == "requests" else thousands(state.remaining)
            lines += _lines(name, state.capacity, left, state.reset_at_us)
    return lines + _token_lines([tightest[kind] for kind in ("input_tokens", "output_tokens") if kind in tightest])


def thousands(tokens: int) -> int:
    """To the nearest thousand, halves up."""
    return (tokens + 500) // 1000 * 1000


def instant(at_us: int) -> str:
    """RFC 3339 in UTC; the first whole second that is not before it."""
    return _second(-(-at_us // 1_000_000))


def _room(state: BucketState) -> tuple[int, int]:
    return state.remaining, state.capacity


def _token_lines(tightest: list[BucketState]) -> HeaderLines:
    if not tightest:
        return []
    narrow = [state for state in tightest if not state.key.scope.startswith("org:")]
    told = [min(narrow, key=_room)] if narrow else tightest
    return _lines(
        b"tokens",
        sum(state.capacity for state in told),
        thousands(sum(state.remaining for state in told)),
        max(state.reset_at_us for state in told),
    )


def _lines(name: bytes, limit: int, remaining: int, reset_at_us: int) -> HeaderLines:
    start = b"anthropic-ratelimit-" + name
    return [
        (start + b"-limit", b"%d" % limit),
        (start + b"-remaining", b"%d" % remaining),
        (start + b"-reset", instant(reset_at_us).encode()),
    ]


@lru_cache(maxsize=512)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
