"""The `usage` object, with every field that the API sends."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cached:
    """How a prompt's tokens divide: read, written for five minutes or an hour, and the rest."""

    input_tokens: int
    read_tokens: int = 0
    write_5m_tokens: int = 0
    write_1h_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """What the answer cost. `result_tokens` is input that a server tool added while the answer was made."""

    output_tokens: int
    thinking_tokens: int = 0
    result_tokens: int = 0
    web_searches: int = 0
    web_fetches: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """How the request was served."""

    service_tier: str = "standard"
    inference_geo: str = "global"
    speed: str = "standard"


def whole(cached: Cached, spent: Spent, terms: Terms) -> dict[str, Any]:
    """`usage` of a message in one piece."""
    return {
        **_input(cached, spent.result_tokens),
        "cache_creation": _creation(cached),
        **_output(spent),
        "service_tier": terms.service_tier,
        "inference_geo": terms.inference_geo,
        "speed": terms.speed,
    }


def at_start(cached: Cached, spent: Spent, terms: Terms) -> dict[str, Any]:
    """`usage` of `message_start`: the input as it was sent, and an output that has just begun."""
    return {
        **_input(cached, 0),
        "cache_creation": _creation(cached),
        "output_tokens": min(1, spent.output_tokens),
        "service_tier": terms.service_tier,
        "inference_geo": terms.inference_geo,
        "speed": terms.speed,
    }


def at_end(cached: Cached, spent: Spent) -> dict[str, Any]:
    """`usage` of `message_delta`: totals, without what only the start says."""
    return {**_input(cached, spent.result_tokens), **_output(spent)}


def _input(cached: Cached, result_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": cached.input_tokens + result_tokens,
        "cache_creation_input_tokens": cached.write_5m_tokens + cached.write_1h_tokens,
        "cache_read_input_tokens": cached.read_tokens,
    }


def _creation(cached: Cached) -> dict[str, int]:
    return {
        "ephemeral_5m_input_tokens": cached.write_5m_tokens,
        "ephemeral_1h_input_tokens": cached.write_1h_tokens,
    }


def _output(spent: Spent) -> dict[str, Any]:
    output: dict[str, Any] = {
        "output_tokens": spent.output_tokens,
        "output_tokens_details": {"thinking_tokens": spent.thinking_tokens},
    }
    if spent.web_searches or spent.web_fetches:
        output["server_tool_use"] = {
            "web_search_requests": spent.web_searches,
            "web_fetch_requests": spent.web_fetches,
        }
    return output
