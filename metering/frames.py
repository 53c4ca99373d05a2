"""Payloads as frames in a segment: length, CRC-32 of length and payload, payload. Pure.

The rest of a pre-allocated segment is zeros, and no payload is empty: a length of zero means "nothing here yet".
"""

import struct
import zlib
from collections.abc import Iterator

from metering.records import MAX_PAYLOAD_BYTES, PAYLOAD_START

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
    for candidate in PAYLOAD_START.finditer(data, start + HEADER_BYTES):
        place = candidate.start() - HEADER_BYTES
        if next(frames(data, place), None) is not None:
            return place
    return None
