"""Where a journal's frames go: the segment being written, those that wait, and those that are left.

Not safe for threads: the journal holds its lock around every call, but for `allocate` and `Unsynced.sync`.
"""

import errno
import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from metering import segments
from metering.frames import MAX_FRAME_BYTES
from metering.segments import Segment


@dataclass(frozen=True, slots=True)
class Unsynced:
    """What was written lately: segments that were left, the current one, and whether a name is new in the folder."""

    folder: Path
    left: list[Segment]
    current: Segment | None
    has_new_name: bool

    def sync(self) -> None:
        """Names first, then data; segments that were left are closed. OSError when the disk refuses."""
        try:
            if self.has_new_name:
                segments.sync_folder(self.folder)
            for segment in [*self.left, *([self.current] if self.current else [])]:
                os.fdatasync(segment.fd)
        finally:
            for segment in self.left:
                os.close(segment.fd)


class Spool:
    def __init__(self, folder: Path, segment_bytes: int, *, syncs_each: bool) -> None:
        """Start with one segment. OSError when the disk has no room for it."""
        self.folder = folder
        self.room = 0
        self._segment_bytes = max(segment_bytes, 4 * MAX_FRAME_BYTES)
        self._syncs_each = syncs_each
        self._names = 0
        self._spares: deque[Segment] = deque()
        self._left: list[Segment] = []
        self._is_dirty = False
        self._has_new_name = False
        self._is_closed = False
        self.is_torn = False
        self._current = Segment(folder, fd=-1, size=0)
        self.rotate()

    @property
    def number(self) -> int:
        """The segment that is being written."""
        return self._current.number

    @property
    def segment_bytes(self) -> int:
        return self._segment_bytes

    def write(self, frame: bytes) -> None:
        """One frame, in one write. OSError when the disk refuses; the next write then goes to another segment."""
        size = len(frame)
        if self.is_torn or self._current.position + size > self._current.size:
            self.rotate()
        segment = self._current
        self.is_torn = True
        if os.write(segment.fd, frame) != size:
            raise OSError(errno.EIO, "short write", str(segment.path))
        if self._syncs_each:
            os.fdatasync(segment.fd)
        self.is_torn = False
        segment.position += size
        self.room -= size
        self._is_dirty = True

    def rotate(self) -> None:
        """Leave the current segment for a spare one, or for a new one. OSError when there is none."""
        if self._is_closed:
            raise OSError(errno.EBADF, "the journal is closed", str(self.folder))
        if not self._spares:
            self.add(self.allocate())
        segment = self._spares[0]
        segments.give_number(segment, self._current.number + 1)
        self._spares.popleft()
        if self._current.number:
            self._left.append(self._current)
        self._current = segment
        self.is_torn = False
        self._is_dirty = True
        self._has_new_name = True
        self._count_room()

    def allocate(self) -> Segment:
        """A segment to `add`. OSError when the disk is full."""
        self._names += 1
        return segments.allocate(self.folder, f"{self._names}-{os.urandom(4).hex()}", self._segment_bytes)

    def add(self, segment: Segment) -> None:
        self._spares.append(segment)
        self._count_room()

    def take_unsynced(self) -> Unsynced:
        """What is not on the platter yet. Whoever takes it brings it there."""
        unsynced = Unsynced(self.folder, self._left, self._current if self._is_dirty else None, self._has_new_name)
        self._left = []
        self._is_dirty = self._has_new_name = False
        return unsynced

    def close(self) -> None:
        """Give back what was never written. Every later write is an OSError."""
        for segment in self._spares:
            os.close(segment.fd)
            segment.path.unlink(missing_ok=True)
        self._spares.clear()
        os.close(self._current.fd)
        self._is_closed = self.is_torn = True

    def _count_room(self) -> None:
        self.room = self._current.room + sum(spare.room for spare in self._spares)
