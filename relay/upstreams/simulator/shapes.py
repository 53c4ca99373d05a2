"""The shape of a Messages body."""

from typing import Any

from relay.upstreams.simulator import schema
from relay.upstreams.simulator.schema import Check

_MESSAGE = schema.record(
    {"role": schema.literal("user", "assistant"), "content": schema.text_or(schema.items(schema.anything))}
)
_REQUIRED: dict[str, Check] = {
    "model": schema.string,
    "messages": schema.items(_MESSAGE, maximum=100_000),
    "max_tokens": schema.integer(minimum=0),
}


def check_message(body: Any, betas: frozenset[str]) -> None:
    schema.record(_REQUIRED, is_open=True)(body, "")
    if not body["messages"]:
        schema.fail("messages", "at least one message is required")


def check_count(body: Any, betas: frozenset[str]) -> None:
    schema.record({k: _REQUIRED[k] for k in ("model", "messages")}, is_open=True)(body, "")
