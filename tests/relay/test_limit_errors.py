"""Every row of the limits' errors: status, type, words, `retry-after`, code, and whether to retry."""

import json
from datetime import UTC, datetime

import pytest

from metering.limits.refusal import (
    ConcurrencyReached,
    CostTooLarge,
    CostUnbounded,
    LimitReached,
    LimitsUnavailable,
    RateLimited,
    SpendHeld,
    SpendReached,
)
from relay.errors import ApiError
from relay.limit_errors import limit_error

ORG = "org:1d9ed8f4-6e0b-4c2a-9c0e-0f6b9a5b5f10"
FULL = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 12, 1, tzinfo=UTC)


def error(reached: LimitReached) -> ApiError:
    return limit_error(reached, "claude-sonnet-4-6")


def rate(scope: str, kind: str, capacity: int, model_class: str = "Sonnet 4.x") -> RateLimited:
    return RateLimited(scope, model_class, kind, capacity, 7, FULL)


@pytest.mark.parametrize(
    ("reached", "start", "words"),
    [
        (
            rate(ORG, "input_tokens", 30_000),
            "This request would exceed your organization's rate limit of 30,000 input tokens per minute (org: 1d9ed8f4",
            ["model: claude-sonnet-4-6", "model class: Sonnet 4.x", "2026-11-21T12:00:30Z"],
        ),
        (
            rate(ORG, "output_tokens", 8_000),
            "This request would exceed your organization's rate limit of 8,000 output tokens per minute (org: ",
            ["Sonnet 4.x"],
        ),
        (
            rate("ws:wrkspc_1", "requests", 50),
            "This request would exceed your workspace's rate limit of 50 requests per minute (workspace: wrkspc_1, ",
            ["Sonnet 4.x"],
        ),
        (
            rate("key:apikey_1", "requests", 5, model_class=""),
            "This request would exceed this API key's rate limit of 5 requests per minute (API key: apikey_1, ",
            ["all models"],
        ),
    ],
)
def test_a_rate_names_scope_limit_class_and_reset(reached: LimitReached, start: str, words: list[str]) -> None:
    refused = error(reached)

    assert refused.message.startswith(start)
    assert [word for word in words if word not in refused.message] == []
    assert (refused.status, refused.type, refused.retry_after, refused.code) == (429, "rate_limit_error", 7, "")
    assert refused.headers == ()


TABLE = [
    (
        SpendReached(ORG, "month", is_tier_cap=True, resumes_at=NEXT_MONTH),
        429,
        "rate_limit_error",
        "You have reached your API usage limits: your organization has crossed its monthly API usage threshold, set "
        "based on your organization's API tier. You will regain access on 2026-12-01 at 00:00 UTC.",
        "enforced_spend_limit_reached",
    ),
    (
        SpendReached(ORG, "month", resumes_at=NEXT_MONTH),
        400,
        "invalid_request_error",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
        "",
    ),
    (
        SpendReached("ws:wrkspc_1", "day", resumes_at=datetime(2026, 11, 22, tzinfo=UTC)),
        400,
        "invalid_request_error",
        "You have reached your specified workspace API usage limits. You will regain access on 2026-11-22 at 00:00 "
        "UTC.",
        "",
    ),
    (
        SpendReached("key:apikey_1", "month", resumes_at=NEXT_MONTH),
        400,
        "invalid_request_error",
        "You have reached your specified API usage limits for this key. You will regain access on 2026-12-01 at 00:00 "
        "UTC.",
        "",
    ),
    (
        SpendReached(ORG, "always"),
        400,
        "invalid_request_error",
        f"Your credit balance is too low to access the Anthropic API ({ORG.replace(':', ': ')}). Please purchase "
        "credits.",
        "",
    ),
    (
        CostUnbounded("mcp_servers"),
        400,
        "invalid_request_error",
        "mcp_servers: nobody can say what this can cost, and a strict spend limit is in force",
        "",
    ),
    (
        CostTooLarge("key:apikey_1", 96_925_000_000, 50_000_000_000, "max_tokens"),
        400,
        "invalid_request_error",
        "max_tokens: this request can cost up to $0.096925, more than this API key's spend limit of $0.05 (API key: "
        "apikey_1). Lower max_tokens.",
        "",
    ),
]


@pytest.mark.parametrize(("reached", "status", "type_", "message", "code"), TABLE)
def test_money_is_told_and_never_retried(
    reached: LimitReached, status: int, type_: str, message: str, code: str
) -> None:
    refused = error(reached)

    assert (refused.status, refused.type, refused.message, refused.code) == (status, type_, message, code)
    assert refused.retry_after is None
    assert refused.headers == ((b"x-should-retry", b"false"),)
    details = json.loads(refused.body("req_1"))["error"].get("details")
    assert details == ({"error_code": code} if code else None)


@pytest.mark.parametrize(
    ("reached", "status", "type_"),
    [
        (ConcurrencyReached(ORG, 1), 429, "rate_limit_error"),
        (SpendHeld(ORG, "month"), 429, "rate_limit_error"),
        (LimitsUnavailable(1), 529, "overloaded_error"),
    ],
)
def test_what_passes_by_itself_may_be_retried_in_a_second(reached: LimitReached, status: int, type_: str) -> None:
    refused = error(reached)

    assert (refused.status, refused.type, refused.retry_after, refused.headers) == (status, type_, 1, ())


def test_retry_after_is_never_0() -> None:
    assert error(RateLimited(ORG, "", "requests", 600, 0, FULL)).retry_after == 1


def test_one_running_request_is_one() -> None:
    assert "limit of 1 concurrent request (" in error(ConcurrencyReached(ORG, 1)).message
