"""Usage that no upstream should send, for those who must survive it."""

from collections.abc import Iterable, Iterator
from typing import Any

Json = dict[str, Any]


def distorted(message: Json, kind: str) -> Json:
    """A JSON message with odd usage; `kind` is empty for the true one."""
    if not kind:
        return message
    if kind == "missing":
        return {key: value for key, value in message.items() if key != "usage"}
    return {**message, "usage": _odd(message["usage"], kind)}


def distorted_events(events: Iterable[Json], kind: str) -> Iterator[Json]:
    """The events of a stream with odd usage."""
    for event in events:
        if kind and event["type"] == "message_start":
            yield {**event, "message": event["message"] if kind == "decreasing" else distorted(event["message"], kind)}
        elif kind and event["type"] == "message_delta":
            yield from _odd_ends(event, kind)
        else:
            yield event


def _odd_ends(event: Json, kind: str) -> Iterator[Json]:
    if kind == "decreasing":
        higher = {key: value + 50 if isinstance(value, int) else value for key, value in event["usage"].items()}
        yield {**event, "delta": {"stop_reason": None, "stop_sequence": None}, "usage": higher}
        yield event
    else:
        yield distorted(event, kind)


def _odd(usage: Json, kind: str) -> Json | None:
    if kind == "null":
        return None
    values = {"negative": -5, "text": "many", "huge": 10**18, "decreasing": 0}
    return {key: values[kind] if isinstance(value, int) else value for key, value in usage.items()}
