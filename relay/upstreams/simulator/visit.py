"""One request from its arrival to its end: what was read, and what the ledger will say of it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jiter

from relay.upstreams.simulator.head import Head
from relay.upstreams.simulator.ids import new_id
from relay.upstreams.simulator.refusals import Refusal
from relay.upstreams.simulator.script import Script

Json = dict[str, Any]
_MICROSECONDS = 1_000_000
_TELLING = frozenset({"message", "message_start", "message_delta"})


@dataclass(slots=True)
class Visit:
    """`refusal` is what reading already found wrong. `usage` is folded from what went over the wire."""

    head: Head
    script: Script
    request_id: str = field(default_factory=lambda: new_id("req"))
    arrived_at: float = field(default_factory=time.time)
    raw_body: bytes = b""
    body: Any = None
    refusal: Refusal | None = None
    status: int = 0
    outcome: str = "cut"
    events: int = 0
    usage: Json = field(default_factory=dict)
    message_id: str | None = None
    model: str | None = None

    def sent(self, content: Mapping[str, Any]) -> None:
        """Note what a message or an event said of itself."""
        if content.get("type") not in _TELLING:
            return
        message = content.get("message", content)
        self.message_id = message.get("id", self.message_id)
        self.model = message.get("model", self.model)
        for key, value in (message.get("usage") or {}).items():
            if value is not None:
                self.usage[key] = value

    def arrival(self) -> Json:
        """The `received` line."""
        body = self.body if isinstance(self.body, dict) else {}
        return {
            **self._name(),
            "at_us": int(self.arrived_at * _MICROSECONDS),
            "method": self.head.method,
            "path": self.head.path,
            "version": self.head.version,
            "bytes": len(self.raw_body),
            "model": body.get("model"),
            "stream": body.get("stream", False),
        }

    def end(self) -> Json:
        """The `finished` line."""
        return {
            **self._name(),
            "at_us": int(time.time() * _MICROSECONDS),
            "outcome": self.outcome,
            "status": self.status,
            "model": self.model,
            "message_id": self.message_id,
            "events": self.events,
            "usage": self.usage or None,
        }

    def _name(self) -> Json:
        return {"request_id": self.request_id, "gateway_request_id": self.head.gateway_request_id}


def parsed(raw_body: bytes) -> Any:
    """The JSON value of a body. Raises Refusal (400) in the words of Python's parser, as the API does."""
    try:
        return jiter.from_json(raw_body, allow_inf_nan=False)
    except ValueError as error:
        raise Refusal(400, f"The request body is not valid JSON: {_position(raw_body) or error}") from error


def _position(raw_body: bytes) -> str:
    try:
        json.loads(raw_body)
    except ValueError as error:
        return str(error)
    return ""
