"""Reads along while an answer passes by: usage, model, stop reason, and whether it came to its end.

Only events that can hold usage are decoded; the text of an answer is measured, never kept. Usage in a stream is
cumulative, so a later value replaces an earlier one (streaming reference, "Usage in a stream").
"""

from typing import Any

import jiter

from metering.usage import fold
from relay.sse import Event, Frames, parse, split

_AROUND_TEXT = 115
_AROUND_THINKING = 123
_AROUND_JSON = 129
"""Bytes of an `event: content_block_delta` frame around its text, as compact as upstreams write it."""

_BYTES_PER_TOKEN = 4

MOST_JSON_BYTES = 64 << 20
"""Nothing that a model writes is as large; the usage of a larger answer is not read."""

_DELTA = b"event: content_block_delta"


class Tally:
    """What an answer has said of itself so far."""

    __slots__ = ("error_type", "is_complete", "message_id", "model", "stop_reason", "usage")

    def __init__(self) -> None:
        self.usage: dict[str, Any] = {}
        self.model = ""
        self.message_id = ""
        self.stop_reason = ""
        self.error_type = ""
        self.is_complete = False

    def feed(self, piece: bytes) -> None:
        """Look at one piece of the body, in order."""
        raise NotImplementedError

    def finish(self) -> None:
        """The body has ended, whole or cut."""

    @property
    def is_known(self) -> bool:
        """True when the upstream has said all that a price needs, and was not cut short."""
        return self.is_complete and "input_tokens" in self.usage and "output_tokens" in self.usage

    @property
    def output_estimate(self) -> int:
        """Tokens that were seen going by, for an answer that never said its own count."""
        return 0

    def _message(self, message: dict[str, Any]) -> None:
        self.message_id = _text(message.get("id"))
        self.model = _text(message.get("model")) or self.model
        self.stop_reason = _text(message.get("stop_reason"))
        if isinstance(usage := message.get("usage"), dict):
            fold(self.usage, usage)

    def _error(self, error: object) -> None:
        self.error_type = (_text(error.get("type")) if isinstance(error, dict) else "") or "api_error"


class JsonTally(Tally):
    """For an answer in one piece: decoded once, when it is all there; never when it is too large to be kept."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= MOST_JSON_BYTES:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def finish(self) -> None:
        body = _decoded(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
        self._pieces.clear()
        if body.get("type") == "error":
            self._error(body.get("error"))
        elif body:
            self._message(body)
            self.is_complete = "usage" in body


class StreamTally(Tally):
    """For server-sent events. `is_between_frames` tells when a frame of ours may go out."""

    __slots__ = ("_around", "_delta_bytes", "_deltas", "_frames", "has_started")

    def __init__(self) -> None:
        super().__init__()
        self._frames = Frames()
        self._around = _AROUND_TEXT
        self._deltas = 0
        self._delta_bytes = 0
        self.has_started = False

    @property
    def is_over(self) -> bool:
        """True when the client has seen the end, a good or a bad one: nothing may follow it."""
        return self.is_complete or bool(self.error_type)

    @property
    def is_between_frames(self) -> bool:
        return self._frames.is_between

    def closing(self) -> bytes:
        """What has to go out before a frame of ours, if the answer stops here."""
        return self._frames.closing()

    @property
    def output_estimate(self) -> int:
        return max(self._deltas, self._delta_bytes // _BYTES_PER_TOKEN)  # a delta holds a token at least

    def feed(self, piece: bytes) -> None:
        frames = self._frames.whole(piece)
        if not frames:
            return
        if not _may_tell(frames):  # the most of a stream by far: looked at once, however many they are
            self._measure(frames)
            return
        for frame in split(frames):
            if frame.startswith(_DELTA):
                self._measure(frame)
            elif _may_tell(frame):
                self._take(parse(frame))

    def _measure(self, deltas: bytes) -> None:
        found = (deltas.count(b"content_block_delta") + 1) // 2  # once in the event line, once in the data
        if found:
            self._deltas += found
            self._delta_bytes += max(0, len(deltas) - found * self._around)

    def finish(self) -> None:
        """A last frame without its blank line still counts here. Clients pass over it: an error there told nobody."""
        if rest := self._frames.rest():
            event = parse(rest)
            if event.name != b"error":
                self._take(event)

    def _take(self, event: Event) -> None:
        match event.name:
            case b"message_start":
                self.has_started = True
                if isinstance(message := _decoded(event.data).get("message"), dict):
                    self._message(message)
            case b"message_delta":
                self._delta(_decoded(event.data))
            case b"message_stop":
                self.is_complete = True
            case b"error":
                self._error(_decoded(event.data).get("error"))
            case b"content_block_start":
                self._start_block(event.data)

    def _delta(self, body: dict[str, Any]) -> None:
        if isinstance(usage := body.get("usage"), dict):
            fold(self.usage, usage)
        if isinstance(delta := body.get("delta"), dict):
            self.stop_reason = _text(delta.get("stop_reason")) or self.stop_reason

    def _start_block(self, data: bytes) -> None:
        """Its beginning names its type; a search result can be a megabyte, and is not decoded."""
        beginning = data[:400]
        self._around = (
            _AROUND_JSON if b"tool_use" in beginning else _AROUND_THINKING if b"thinking" in beginning else _AROUND_TEXT
        )
        if b'"fallback"' in beginning:
            self._fallback(_decoded(data).get("content_block"))

    def _fallback(self, block: object) -> None:
        """A server-side fallback names the model that went on with the answer."""
        if isinstance(block, dict) and block.get("type") == "fallback" and isinstance(to := block.get("to"), dict):
            self.model = _text(to.get("model")) or self.model


def _may_tell(frames: bytes) -> bool:
    """Whether there may be more among them than deltas and pings; text that mentions it costs a look, no more."""
    return b"message_" in frames or b"error" in frames or b"content_block_st" in frames


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        body = jiter.from_json(data)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""
