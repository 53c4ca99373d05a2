"""Bodies and answers of the Messages API, small enough to know by heart."""

import json
from typing import Any

MODEL = "claude-sonnet-4-6"
USAGE = {"input_tokens": 11, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 7}


def body(model: str = MODEL, *, stream: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "model": model,
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "Hello"}],
        **({"stream": True} if stream else {}),
        **more,
    }


def message(text: str = "Hello") -> bytes:
    """A whole answer, used `USAGE`."""
    return json.dumps(
        {
            "id": "msg_raw",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": USAGE,
        }
    ).encode()


def frame(name: str, *, newline: str = "\n", **data: Any) -> bytes:
    text = json.dumps({"type": name, **data}, ensure_ascii=False)
    return f"event: {name}{newline}data: {text}{newline}{newline}".encode()


def frames(*texts: str, newline: str = "\n") -> list[bytes]:
    """The frames of a stream with one delta for each text; used `USAGE`."""
    start = {"id": "msg_raw", "type": "message", "role": "assistant", "model": MODEL, "content": []}
    start |= {"stop_reason": None, "stop_sequence": None, "usage": {**USAGE, "output_tokens": 1}}
    deltas = [
        frame("content_block_delta", index=0, delta={"type": "text_delta", "text": text}, newline=newline)
        for text in texts
    ]
    return [
        frame("message_start", message=start, newline=newline),
        frame("content_block_start", index=0, content_block={"type": "text", "text": ""}, newline=newline),
        *deltas,
        frame("content_block_stop", index=0, newline=newline),
        frame(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": USAGE["output_tokens"]},
            newline=newline,
        ),
        frame("message_stop", newline=newline),
    ]


def error(status: int, type_: str, text: str, **details: str) -> bytes:
    """An error of the upstream's own, with its own request id."""
    told: dict[str, Any] = {"type": type_, "message": text}
    if details:
        told["details"] = details
    return json.dumps({"type": "error", "error": told, "request_id": "req_upstream", "status": status}).encode()
