"""Payloads as frames in a segment: length, CRC-32 of length and payload, payload. Pure.

The rest of a pre-allocated segment is zeros, and no payload is empty: a length of zero means "nothing here yet".
"""

import struct
import zlib
from collections.abc import Iterator

from metering.records import MAX_PAYLOAD_BYTES

_HEADER = struct.Struct("<II")
HEADER_BYTES = _HEADER.size
MAX_FRAME_BYTES = HEADER_BYTES + MAX_PAYLOAD_BYTES

_pack = _HEADER.pack
_unpack = _HEADER.unpack_from
_crc32 = zlib.crc32


def frame(payload: bytes) -> bytes:
    """The frame of a payload. The length seeds the checksum, so that a flipped bit in either is seen."""
    length = len(payload)
    return _pack(length, _crc32(payload, length)) + payload


def frames(data: bytes, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """(offset behind the frame, payload) of each whole frame from `start` on, up to the first that is not whole."""
    size = len(data)
    while start + HEADER_BYTES < size:
        length, checksum = _unpack(data, start)
        end = start + HEADER_BYTES + length
        if not 0 < length <= MAX_PAYLOAD_BYTES or end > size:
            return
        payload = data[start + HEADER_BYTES : end]
        if _crc32(payload, length) != checksum:
            return
        yield end, payload
        start = end


def next_frame(data: bytes, start: int) -> int | None:
    """Where the next whole frame begins, at `start` or behind it: the way past damage. None when there is none."""
    while start + HEADER_BYTES < len(data):
        if next(frames(data, start), None) is not None:
            return start
        start = _skip_zeros(data, start + 1)
    return None


def _skip_zeros(data: bytes, start: int) -> int:
    """The first place that can be a frame's: a frame's first byte may be zero, but not all four of its length."""
    for block in range(start, len(data), 4096):
        rest = data[block : block + 4096].lstrip(b"\x00")
        if rest:
            first = min(block + 4096, len(data)) - len(rest)
            return max(start, first - 3)
    return len(data)
