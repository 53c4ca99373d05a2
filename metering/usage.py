"""Reading `usage`: the object in which an upstream says what one request consumed.

A stream reports it in pieces, each of them cumulative: a later number replaces an earlier one and is never added.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LARGEST_COUNT = 10**9
"""More than a billion of anything in one request is the noise of a broken upstream; capped, so that sums fit."""


@dataclass(slots=True)
class Tokens:
    """The five priced classes of one sampling step. Cached input is not part of `input_tokens`."""

    input_tokens: int = 0
    cache_creation_5m_input_tokens: int = 0
    cache_creation_1h_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """The length of the prompt, which decides the price band and the context window."""
        return (
            self.input_tokens
            + self.cache_creation_5m_input_tokens
            + self.cache_creation_1h_input_tokens
            + self.cache_read_input_tokens
        )


@dataclass(slots=True)
class Iteration(Tokens):
    """One entry of `usage.iterations`; `model` is empty when it is the request's own."""

    kind: str = ""
    model: str = ""


@dataclass(slots=True)
class Usage(Tokens):
    """What a request consumed. Texts are empty where the upstream did not say."""

    web_search_requests: int = 0
    service_tier: str = ""
    inference_geo: str = ""
    speed: str = ""
    iterations: tuple[Iteration, ...] = ()


def fold(total: dict[str, Any], seen: Mapping[str, Any]) -> None:
    """Take over into `total` every value of `seen` that is not null, inside its objects likewise."""
    for key, value in seen.items():
        if value is None:
            continue
        if isinstance(value, dict):
            known = total.get(key)
            merged = dict(known) if isinstance(known, dict) else {}
            fold(merged, value)
            total[key] = merged
        else:
            total[key] = value


def read(raw: Mapping[str, Any]) -> Usage:
    """The counts of a raw `usage`. Never raises: what is missing, negative or not a number counts 0."""
    five_minutes, one_hour = _cache_writes(raw)
    tools = raw.get("server_tool_use")
    steps = raw.get("iterations")
    return Usage(
        count(raw.get("input_tokens")),
        five_minutes,
        one_hour,
        count(raw.get("cache_read_input_tokens")),
        count(raw.get("output_tokens")),
        count(tools.get("web_search_requests")) if isinstance(tools, dict) else 0,
        _text(raw.get("service_tier")),
        _text(raw.get("inference_geo")),
        _text(raw.get("speed")),
        tuple(_iteration(step) for step in steps if isinstance(step, dict)) if isinstance(steps, list) else (),
    )


def count(value: object) -> int:
    """A reported number as an int from 0 to `LARGEST_COUNT`."""
    if type(value) is int:
        return min(value, LARGEST_COUNT) if value > 0 else 0
    if isinstance(value, float) and value > 0:  # also false for NaN
        return int(min(value, LARGEST_COUNT))
    return 0


def _iteration(raw: Mapping[str, Any]) -> Iteration:
    five_minutes, one_hour = _cache_writes(raw)
    return Iteration(
        count(raw.get("input_tokens")),
        five_minutes,
        one_hour,
        count(raw.get("cache_read_input_tokens")),
        count(raw.get("output_tokens")),
        _text(raw.get("type")),
        _text(raw.get("model"), longest=200),
    )


def _cache_writes(raw: Mapping[str, Any]) -> tuple[int, int]:
    """Tokens written for 5 minutes and for 1 hour.

    Only the first event of a stream splits them; what the total later has beyond the split is charged as 5 minutes.
    """
    total = count(raw.get("cache_creation_input_tokens"))
    split = raw.get("cache_creation")
    if not isinstance(split, dict):
        return total, 0
    five_minutes = count(split.get("ephemeral_5m_input_tokens"))
    one_hour = count(split.get("ephemeral_1h_input_tokens"))
    return max(five_minutes, total - one_hour), one_hour


def _text(value: object, *, longest: int = 20) -> str:
    return value[:longest] if isinstance(value, str) and value.isprintable() else ""
