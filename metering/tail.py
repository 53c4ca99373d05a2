"""Reading one journal folder in the order it was written, while it is written or after its writer has died."""

import logging
import os
from pathlib import Path

from metering import segments
from metering.frames import HEADER_BYTES, MAX_FRAME_BYTES, frames, next_frame
from metering.running import Position

_CHUNK_BYTES = max(64 << 10, 2 * MAX_FRAME_BYTES)

logger = logging.getLogger(__name__)


class Tail:
    """A cursor into a folder. Everything before `position` has been read."""

    def __init__(self, folder: Path, position: Position) -> None:
        """Start at `position`, or at the oldest segment that still exists behind it."""
        self.folder = folder
        later = [number for number in segments.numbers(folder) if number >= position.segment]
        self.position = position if not later or later[0] == position.segment else Position(later[0], 0)
        self._fd: int | None = None

    def read(self, *, is_over: bool) -> list[tuple[Position, bytes]]:
        """The next payloads with the places of their frames: a chunk of them, none when there are no more for now.

        A frame that is not whole is still being written, unless its segment has been left or the writer is dead
        (`is_over`): then it is torn or damaged, and skipped.
        """
        while True:
            found = self._next_chunk()
            if found or not (is_over or self._is_left()):
                return found
            found = self._next_chunk()  # what was written before we looked whether the segment is left
            if found or not self._skip_damage_or_segment():
                return found

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _next_chunk(self) -> list[tuple[Position, bytes]]:
        number, start = self.position
        found = []
        end = 0
        for end, payload in frames(self._data(_CHUNK_BYTES)):
            found.append((Position(number, start + end - len(payload) - HEADER_BYTES), payload))
        self.position = Position(number, start + end)
        return found

    def _data(self, size: int | None = None) -> bytes:
        """`size` bytes at the position, or all there are; none while the segment does not exist yet."""
        if self._fd is None:
            try:
                self._fd = os.open(segments.path(self.folder, self.position.segment), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return b""
        return os.pread(self._fd, size or os.fstat(self._fd).st_size, self.position.offset)

    def _is_left(self) -> bool:
        return segments.path(self.folder, self.position.segment + 1).exists()

    def _skip_damage_or_segment(self) -> bool:
        """Move to where reading can go on. False when nothing follows."""
        number, start = self.position
        rest = self._data().rstrip(b"\x00")
        place = next_frame(rest, 0) if rest else None
        if rest:
            logger.error(
                "%s: %d bytes at %d are no record: torn or damaged",
                segments.path(self.folder, number),
                len(rest) if place is None else place,
                start,
            )
        if place is not None:
            self.position = Position(number, start + place)
            return True
        return self._go_to_next_segment()

    def _go_to_next_segment(self) -> bool:
        later = [number for number in segments.numbers(self.folder) if number > self.position.segment]
        if not later:
            return False
        self.close()
        self.position = Position(later[0], 0)
        return True
