"""The shape of a Messages body: which keys, of which types, in the order in which they are complained about."""

from collections.abc import Mapping
from typing import Any

from relay.upstreams.simulator.checks import schema
from relay.upstreams.simulator.checks.content import BLOCK, CACHE_CONTROL, SYSTEM_BLOCK
from relay.upstreams.simulator.checks.schema import Check
from relay.upstreams.simulator.checks.tools import TOOL, TOOL_CHOICE

# Keys that exist only under a beta, by the beginning of its name.
BETA_KEYS = {
    "context_management": ("context-management-", "compact-2026-01-12"),
    "compaction": ("compact-2026-09-04",),
    "mcp_servers": ("mcp-client-",),
    "fallbacks": ("server-side-fallback-",),
    "fallback_credit_token": ("fallback-credit-",),
    "thread": ("message-threads-",),
    "billing_policy": ("user-profiles-billing-",),
    "output_format": ("structured-outputs-",),
}

_DISPLAY: dict[str, Check] = {"display": schema.nullable(schema.literal("summarized", "omitted", "updates"))}
_TYPE: dict[str, Check] = {"type": schema.string}
_THINKING = schema.tagged(
    {
        "enabled": schema.record(_TYPE | {"budget_tokens": schema.integer(minimum=1_024)}, _DISPLAY),
        "adaptive": schema.record(_TYPE, _DISPLAY),
        "disabled": schema.record(_TYPE),
        "between_tools": schema.record(_TYPE),
    }
)
_FORMAT = schema.tagged({"json_schema": schema.record(_TYPE | {"schema": schema.dictionary}, is_open=True)})
_MESSAGE = schema.record(
    {
        "role": schema.literal("user", "assistant", "system"),
        "content": schema.text_or(schema.items(BLOCK)),
    },
    {"clear_at": schema.anything, "output_config": schema.anything},
)

_PROMPT: dict[str, Check] = {
    "system": schema.text_or(schema.items(SYSTEM_BLOCK)),
    "tools": schema.items(TOOL),
    "tool_choice": TOOL_CHOICE,
    "thinking": schema.nullable(_THINKING),
    "output_config": schema.nullable(
        schema.record(
            {},
            {
                "effort": schema.nullable(schema.literal("low", "medium", "high", "xhigh", "max")),
                "format": schema.nullable(_FORMAT),
                "task_budget": schema.anything,
            },
        )
    ),
    "cache_control": CACHE_CONTROL,
    "speed": schema.nullable(schema.literal("standard", "fast")),
}
_GENERATION: dict[str, Check] = {
    "stream": schema.boolean,
    "stop_sequences": schema.nullable(schema.items(schema.string)),
    "temperature": schema.nullable(schema.number(minimum=0, maximum=1)),
    "top_p": schema.nullable(schema.number(minimum=0, maximum=1)),
    "top_k": schema.nullable(schema.integer(minimum=0)),
    "metadata": schema.nullable(schema.record({}, {"user_id": schema.nullable(schema.text(maximum=256))})),
    "container": schema.nullable(schema.text_or(schema.dictionary)),
    "service_tier": schema.literal("auto", "standard_only"),
    "inference_geo": schema.nullable(schema.literal("global", "us")),
    "diagnostics": schema.nullable(schema.record({}, {"previous_message_id": schema.nullable(schema.string)})),
}
_SAMPLING = {key: _GENERATION[key] for key in ("temperature", "top_p", "top_k")}
_BETA: dict[str, Check] = dict.fromkeys(BETA_KEYS, schema.anything) | {"output_format": schema.nullable(_FORMAT)}


def _messages(value: Any, path: str) -> None:
    schema.items(_MESSAGE, maximum=100_000)(value, path)
    if not value:
        schema.fail(path, "at least one message is required")


_REQUIRED: dict[str, Check] = {"model": schema.text(minimum=1), "messages": _messages}
_CREATE = schema.record(_REQUIRED | {"max_tokens": schema.integer(minimum=0)}, _PROMPT | _GENERATION | _BETA)
_COUNT = schema.record(_REQUIRED, _PROMPT | _SAMPLING | _BETA)


def check_message(body: Any, betas: frozenset[str]) -> None:
    """Raises Refusal (400) for the first thing wrong with a body of `POST /v1/messages`."""
    _CREATE(body, "")
    _check_beta_keys(body, betas)


def check_count(body: Any, betas: frozenset[str]) -> None:
    """The same for `POST /v1/messages/count_tokens`."""
    _COUNT(body, "")
    _check_beta_keys(body, betas)


def _check_beta_keys(body: Mapping[str, Any], betas: frozenset[str]) -> None:
    for key, prefixes in BETA_KEYS.items():
        if key in body and not any(beta.startswith(prefixes) for beta in betas):
            schema.fail(key, "Extra inputs are not permitted")
