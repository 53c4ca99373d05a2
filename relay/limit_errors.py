"""How a limit that is reached looks on the wire: rate limits reference, section 8."""

from metering.limits.headers import instant
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
from metering.money import usd
from relay import errors
from relay.errors import ApiError

NO_RETRY = ((b"x-should-retry", b"false"),)

_WHOSE = {"org": "your organization's", "ws": "your workspace's", "key": "this API key's"}
_PLACE = {"org": "org", "ws": "workspace", "key": "API key"}
_KINDS = {"requests": "requests", "input_tokens": "input tokens", "output_tokens": "output tokens"}
_SPECIFIED = {"org": "API usage limits", "ws": "workspace API usage limits", "key": "API usage limits for this key"}


def limit_error(reached: LimitReached, model: str) -> ApiError:
    """`model` is the one asked for: a rate's message names it beside its class."""
    match reached:
        case RateLimited():
            return _rate(reached, model)
        case ConcurrencyReached():
            return _concurrency(reached)
        case SpendReached():
            return _spend(reached)
        case SpendHeld():
            return _held(reached)
        case CostUnbounded():
            message = f"{reached.field}: nobody can say what this can cost, and a strict spend limit is in force"
            return _own(message, "cost_unbounded")
        case CostTooLarge():
            return _too_large(reached)
        case LimitsUnavailable():
            return errors.overloaded("limits_unavailable", retry_after=reached.retry_after)
    raise NotImplementedError(type(reached))


def _rate(reached: RateLimited, model: str) -> ApiError:
    whose, place = _whose(reached.scope)
    about = f"model: {model}" + (f", model class: {reached.model_class}" if reached.model_class else ", all models")
    reset = instant(int(reached.reset_at.timestamp() * 1_000_000))
    message = (
        f"This request would exceed {whose} rate limit of {reached.capacity:,} {_KINDS[reached.kind]} per minute "
        f"({place}, {about}). The limit is full again at {reset}. You can see the response headers for current usage. "
        "Please reduce the prompt length or the maximum tokens requested, or try again later."
    )
    return ApiError(429, message, reason="rate_limited", retry_after=max(1, reached.retry_after_seconds))


def _concurrency(reached: ConcurrencyReached) -> ApiError:
    whose, place = _whose(reached.scope)
    noun = "request" if reached.capacity == 1 else "requests"
    message = (
        f"This request would exceed {whose} limit of {reached.capacity:,} concurrent {noun} ({place}). "
        "Please try again when one of them has ended."
    )
    return ApiError(429, message, reason="concurrency_reached", retry_after=1)


def _spend(reached: SpendReached) -> ApiError:
    again = f" You will regain access on {reached.resumes_at:%Y-%m-%d at %H:%M} UTC." if reached.resumes_at else ""
    if reached.is_tier_cap:
        message = (
            "You have reached your API usage limits: your organization has crossed its monthly API usage threshold, "
            f"set based on your organization's API tier.{again}"
        )
        code = "enforced_spend_limit_reached"
        return ApiError(429, message, reason="tier_cap_reached", code=code, headers=NO_RETRY)
    if reached.period == "always":
        _, place = _whose(reached.scope)
        message = f"Your credit balance is too low to access the Anthropic API ({place}). Please purchase credits."
        return _own(message, "credits_used_up")
    specified = _SPECIFIED[reached.scope.partition(":")[0]]
    return _own(f"You have reached your specified {specified}.{again}", "spend_limit_reached")


def _held(reached: SpendHeld) -> ApiError:
    whose, place = _whose(reached.scope)
    message = (
        f"This request would exceed {whose} spend limit ({place}) if all requests that are running cost the most "
        "they can. Please try again when some of them have ended."
    )
    return ApiError(429, message, reason="spend_held", retry_after=1)


def _too_large(reached: CostTooLarge) -> ApiError:
    whose, place = _whose(reached.scope)
    message = (
        f"{reached.field}: this request can cost up to ${usd(reached.cost_picos)}, more than {whose} spend limit of "
        f"${usd(reached.limit_picos)} ({place}). Lower {reached.field}."
    )
    return _own(message, "cost_too_large")


def _own(message: str, reason: str) -> ApiError:
    """A limit that the user set, or somebody for them: no retry helps."""
    return ApiError(400, message, reason=reason, headers=NO_RETRY)


def _whose(scope: str) -> tuple[str, str]:
    kind, _, id = scope.partition(":")
    return _WHOSE[kind], f"{_PLACE[kind]}: {id}"
