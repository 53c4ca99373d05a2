"""Reading a Messages body without being fooled: what we check is what the upstream will see.

A key that occurs twice in one object, in whatever spelling, is refused, because two parsers may take two different
values. The bytes themselves go on untouched.
"""

import re
from dataclasses import dataclass
from typing import Any

import jiter

from metering.limits.worst import Reach
from relay import errors
from relay.reach import reach

LONGEST_MODEL = 256
"""Names are remembered and written down: nobody may make us keep a megabyte for each."""

_POSITION = re.compile(r"^(?P<text>.*) at line (?P<line>\d+) column (?P<column>\d+)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reading:
    """The fields of a body that we act on."""

    model: str
    is_stream: bool
    max_tokens: int
    size: int
    """Bytes of the whole body."""
    reach: Reach
    """How dear it can get."""


def read(body: bytes) -> Reading:
    """Raises 400 with the API's own wording for bad JSON, a missing field or a wrong type."""
    try:
        value = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        raise errors.body_invalid(_json_message(str(error), body)) from None
    if not isinstance(value, dict):
        raise errors.body_invalid("Input should be a valid dictionary or object to extract fields from")
    model, is_stream, max_tokens = _model(value), _is_stream(value), _max_tokens(value)
    size = _checked_messages(value, len(body))
    return Reading(model, is_stream, max_tokens, size, reach(value, size=size, max_tokens=max_tokens))


def _model(value: dict[str, Any]) -> str:
    model = _required(value, "model")
    if not isinstance(model, str):
        raise errors.body_invalid("model: Input should be a valid string")
    if not model:
        raise errors.body_invalid("model: String should have at least 1 character")
    if len(model) > LONGEST_MODEL:
        raise errors.body_invalid(f"model: String should have at most {LONGEST_MODEL} characters")
    return model


def _max_tokens(value: dict[str, Any]) -> int:
    max_tokens = _required(value, "max_tokens")
    if not isinstance(max_tokens, int) or isinstance(max_tokens, bool):
        raise errors.body_invalid("max_tokens: Input should be a valid integer")
    if max_tokens < 0:
        raise errors.body_invalid("max_tokens: Input should be greater than or equal to 0")
    return max_tokens


def _is_stream(value: dict[str, Any]) -> bool:
    stream = value.get("stream", False)
    if not isinstance(stream, bool):
        raise errors.body_invalid("stream: Input should be a valid boolean")
    return stream


def _checked_messages(value: dict[str, Any], size: int) -> int:
    messages = _required(value, "messages")
    if not isinstance(messages, list):
        raise errors.body_invalid("messages: Input should be a valid list")
    if not messages:
        raise errors.body_invalid("messages: at least one message is required")
    return size


def _required(value: dict[str, Any], name: str) -> Any:
    try:
        return value[name]
    except KeyError:
        raise errors.body_invalid(f"{name}: Field required") from None


def _json_message(error: str, body: bytes) -> str:
    match = _POSITION.match(error)
    if not match:
        return f"The request body is not valid JSON: {error}"
    line, column = int(match["line"]), int(match["column"])
    before = sum(len(text) + 1 for text in body.split(b"\n")[: line - 1])
    offset = max(0, before + column - 1)
    return f"The request body is not valid JSON: {match['text']}: line {line} column {column} (char {offset})"
