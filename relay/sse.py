"""Server-sent events, seen from beside the stream: whole frames out of pieces that may be cut at any byte."""

import re
from typing import NamedTuple

_BOUNDARY = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
"""A blank line in any of the three line ends. Atomic groups, so that one CRLF is never taken for two ends."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

MOST_PENDING_BYTES = 16 << 20
"""Of a longer frame only the end is kept: it may go by, but nothing that we look for is so long."""


class Event(NamedTuple):
    name: bytes
    data: bytes


class Frames:
    """Holds back the part after the last blank line until the rest of its frame has come."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def is_between(self) -> bool:
        """True when everything seen so far is whole frames."""
        return not self._pending

    def whole(self, piece: bytes) -> bytes:
        """The frames that `piece` completes, as they came; empty when it completes none."""
        if not self._pending and piece.endswith(b"\n\n"):
            return piece
        searched = max(0, len(self._pending) - 3)  # a boundary that began before this piece has at most 3 bytes there
        self._pending += piece
        end = _last_boundary(bytes(self._pending[searched:]))
        if end < 0:
            if len(self._pending) > MOST_PENDING_BYTES:
                del self._pending[:-3]
            return b""
        whole = bytes(self._pending[: searched + end])
        del self._pending[: searched + end]
        return whole

    def rest(self) -> bytes:
        """What is left of a stream that ended inside a frame."""
        return bytes(self._pending)

    def closing(self) -> bytes:
        """What ends a frame that will not be finished, so that clients pass over it: empty between frames.

        Of several names in one frame the last counts, and nobody reads the data of a `ping`.
        """
        if not self._pending:
            return b""
        line_end = b"" if self._pending.endswith((b"\n", b"\r")) else _rest_of_character(self._pending) + b"\n"
        return line_end + b"event: ping\n\n"


def split(frames: bytes) -> list[bytes]:
    """Whole frames, one by one, without the blank lines between them."""
    return _BOUNDARY.split(frames) if b"\r" in frames else frames.split(b"\n\n")


def parse(frame: bytes) -> Event:
    """The event of one frame; comments, other fields and the mark that a stream may begin with are passed over."""
    name, data = b"", []
    for line in _LINE_END.split(frame.removeprefix(_BYTE_ORDER_MARK)):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif line.startswith(b"event:"):
            name = line[6:].strip()
    return Event(name, b"\n".join(data))


def _last_boundary(data: bytes) -> int:
    """The offset just after the last blank line, -1 when there is none."""
    if b"\r" not in data:
        found = data.rfind(b"\n\n")
        return found + 2 if found >= 0 else -1
    end = -1
    for match in _BOUNDARY.finditer(data):
        end = match.end()
    return end


def _rest_of_character(data: bytes | bytearray) -> bytes:
    """The bytes that a UTF-8 character cut off at the end lacks, any that make it valid."""
    for seen, byte in enumerate(reversed(data[-3:]), 1):
        if byte >= 0xC0:
            missing = max(0, 2 + (byte >= 0xE0) + (byte >= 0xF0) - seen)
            second = {0xE0: b"\xa0", 0xF0: b"\x90"}.get(byte, b"\x80") if seen == 1 else b"\x80"
            return (second + b"\x80\x80")[:missing]
        if byte < 0x80:
            break
    return b""
