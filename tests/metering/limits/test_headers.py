"""How buckets are told in headers."""

import pytest

from metering.limits.headers import instant, rate_limit_headers, thousands
from metering.limits.scopes import BucketKey, BucketState

NOON_US = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z


def state(scope: str, kind: str, capacity: int, remaining: int, *, reset_us: int = NOON_US) -> BucketState:
    return BucketState(BucketKey(scope, "Opus 5", kind), capacity, remaining, reset_us)


def told(*states: BucketState) -> dict[str, str]:
    start = "anthropic-ratelimit-"
    return {name.decode().removeprefix(start): value.decode() for name, value in rate_limit_headers(states)}


def test_no_limit_no_header() -> None:
    assert told() == {}


def test_every_header_of_an_organization() -> None:
    assert told(
        state("org:o", "requests", 1_000, 999),
        state("org:o", "input_tokens", 30_000, 12_345),
        state("org:o", "output_tokens", 8_000, 7_999, reset_us=NOON_US + 30_000_001),
    ) == {
        "requests-limit": "1000",
        "requests-remaining": "999",
        "requests-reset": "2026-11-21T12:00:00Z",
        "input-tokens-limit": "30000",
        "input-tokens-remaining": "12000",
        "input-tokens-reset": "2026-11-21T12:00:00Z",
        "output-tokens-limit": "8000",
        "output-tokens-remaining": "8000",
        "output-tokens-reset": "2026-11-21T12:00:31Z",
        "tokens-limit": "38000",
        "tokens-remaining": "20000",
        "tokens-reset": "2026-11-21T12:00:31Z",
    }


def test_the_tighter_one_speaks_and_a_workspace_s_token_limit_is_the_one_for_tokens() -> None:
    headers = told(
        state("org:o", "requests", 1_000, 7),
        state("ws:w", "requests", 100, 90),
        state("org:o", "input_tokens", 30_000, 30_000),
        state("ws:w", "input_tokens", 10_000, 4_400),
        state("org:o", "output_tokens", 8_000, 8_000),
    )

    assert (headers["requests-limit"], headers["requests-remaining"]) == ("1000", "7")
    assert (headers["input-tokens-limit"], headers["input-tokens-remaining"]) == ("10000", "4000")
    assert (headers["tokens-limit"], headers["tokens-remaining"]) == ("10000", "4000")


def test_a_workspace_s_looser_limit_changes_nothing() -> None:
    headers = told(
        state("org:o", "input_tokens", 30_000, 2_000),
        state("ws:w", "input_tokens", 20_000, 20_000),
        state("org:o", "output_tokens", 8_000, 8_000),
    )

    assert (headers["tokens-limit"], headers["tokens-remaining"]) == ("38000", "10000")


def test_an_own_limit_of_requests_alone_tells_requests_alone() -> None:
    assert set(told(state("key:k", "requests", 10, 3))) == {"requests-limit", "requests-remaining", "requests-reset"}


@pytest.mark.parametrize(("tokens", "rounded"), [(0, 0), (499, 0), (500, 1_000), (1_499, 1_000), (1_500, 2_000)])
def test_tokens_are_told_to_the_nearest_thousand(tokens: int, rounded: int) -> None:
    assert thousands(tokens) == rounded


def test_an_instant_is_never_too_early() -> None:
    assert instant(NOON_US) == "2026-11-21T12:00:00Z"
    assert instant(NOON_US + 1) == "2026-11-21T12:00:01Z"
