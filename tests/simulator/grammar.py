"""The grammar of a stream of `POST /v1/messages`: checks it frame by frame and puts the message together.

    message = message_of(raw_bytes)         # the Message that the stream carried; GrammarError when it broke a rule
    for frame in frames(raw_bytes): ...     # name and decoded data of each frame

Used wherever a stream arrives: from the simulator itself, or through the gateway.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "thinking"),
    "input_json_delta": ("partial_json", "tool_use server_tool_use mcp_tool_use"),
    "citations_delta": ("citation", "text"),
}
WHOLE_BLOCKS = re.compile(r"redacted_thinking|.*_tool_result|container_upload|fallback")
SHELLS: dict[str, Json] = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}


class GrammarError(AssertionError):
    """A stream that no client should have to read."""


@dataclass(frozen=True)
class Frame:
    name: str
    data: Json


@dataclass
class Reader:
    """Takes events in order; `message` grows as they come."""

    message: Json | None = None
    error: Json | None = None
    is_complete: bool = False
    has_ended: bool = False
    open_block: int | None = None
    _json: list[str] = field(default_factory=list)

    def read(self, frame: Frame) -> None:
        _expect(not self.is_complete, f"{frame.name} after message_stop")
        _expect(self.error is None, f"{frame.name} after error")
        handler = getattr(self, f"_{frame.name}", None)
        if handler is not None:  # unknown events are legal, and mean nothing
            handler(frame.data)

    def finish(self) -> None:
        _expect(self.is_complete or self.error is not None, "the stream ended without message_stop or error")

    def _ping(self, data: Json) -> None:
        _expect(self.message is not None, "ping before message_start")

    def _error(self, data: Json) -> None:
        _expect(set(data["error"]) >= {"type", "message"}, "an error without type and message")
        self.error = data["error"]

    def _message_start(self, data: Json) -> None:
        _expect(self.message is None, "a second message_start")
        message = data["message"]
        _expect(message["content"] == [], "message_start with content")
        _expect(message["stop_reason"] is None, "message_start with a stop reason")
        _expect(message["usage"]["input_tokens"] >= 0, "message_start without input_tokens")
        self.message = message

    def _content_block_start(self, data: Json) -> None:
        content = self._content()
        _expect(self.open_block is None, "a block opened inside another")
        _expect(data["index"] == len(content), f"block {data['index']} where {len(content)} is due")
        block = data["content_block"]
        shell = SHELLS.get(block["type"], {})
        _expect(all(block[key] == value for key, value in shell.items()), f"a {block['type']} block that is not empty")
        self.open_block = data["index"]
        self._json = []
        content.append(block)

    def _content_block_delta(self, data: Json) -> None:
        block = self._block(data)
        delta = data["delta"]
        key, kinds = DELTAS[delta["type"]]
        _expect(block["type"] in kinds.split(), f"{delta['type']} in a {block['type']} block")
        if delta["type"] == "input_json_delta":
            self._json.append(delta[key])
        elif delta["type"] == "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta[key]]
        else:
            block[key] += delta[key]

    def _content_block_stop(self, data: Json) -> None:
        block = self._block(data)
        if "input" in block:
            text = "".join(self._json)
            try:
                block["input"] = json.loads(text or "{}")
            except ValueError:
                block["input"] = {}  # cut by max_tokens, as the message_delta must say
                block["__cut"] = True
        self.open_block = None

    def _message_delta(self, data: Json) -> None:
        _expect(self.open_block is None, "message_delta while a block is open")
        message = self.message
        _expect(message is not None, "message_delta before message_start")
        assert message is not None
        _expect("output_tokens" in data["usage"], "message_delta without output_tokens")
        self.has_ended = True
        message.update({key: value for key, value in data.items() if key not in ("type", "delta", "usage")})
        message.update(data["delta"])
        message["usage"].update({key: value for key, value in data["usage"].items() if value is not None})

    def _message_stop(self, data: Json) -> None:
        _expect(self.has_ended, "message_stop before message_delta")
        message = self.message
        assert message is not None
        for block in message["content"]:
            _expect(not block.pop("__cut", False) or message["stop_reason"] == "max_tokens", "a broken tool input")
        self.is_complete = True

    def _content(self) -> list[Json]:
        _expect(self.message is not None, "a block before message_start")
        _expect(not self.has_ended, "a block after message_delta")
        assert self.message is not None
        return self.message["content"]

    def _block(self, data: Json) -> Json:
        content = self._content()
        _expect(data["index"] == self.open_block, f"block {data['index']} is not open")
        return content[data["index"]]


def frames(raw: bytes) -> Iterator[Frame]:
    """Every frame: an `event:` line, one `data:` line of JSON whose type is the event's name, a blank line."""
    _expect(raw.endswith(b"\n\n"), "the last frame is not closed by a blank line")
    for number, text in enumerate(raw.decode().removesuffix("\n\n").split("\n\n")):
        found = re.fullmatch(r"event: ?(\w+)\ndata: ?([^\n]*)", text)
        if found is None:
            raise GrammarError(f"frame {number} is not event and data: {text[:200]!r}")
        data = json.loads(found[2])
        _expect(data["type"] == found[1], f"frame {number} is called {found[1]} and holds {data['type']}")
        yield Frame(found[1], data)


def read_stream(raw: bytes) -> Reader:
    """The stream read to its end, which is message_stop or an error."""
    reader = Reader()
    for frame in frames(raw):
        reader.read(frame)
    reader.finish()
    return reader


def message_of(raw: bytes) -> Json:
    """The message of a stream that came to a good end."""
    reader = read_stream(raw)
    _expect(reader.error is None, f"the stream ended with {reader.error}")
    assert reader.message is not None
    return reader.message


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise GrammarError(otherwise)
