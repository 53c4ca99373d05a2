"""Where a journal's frames go: the segment being written, those that wait, and those that are left.

Not safe for threads: the journal holds its lock around every call, but for `allocate` and `sync`.
"""

import errno
import os
from collections import deque
from pathlib import Path

from metering import segments
from metering.frames import MAX_FRAME_BYTES
from metering.segments import Segment


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
        self._count_room()

    def allocate(self) -> Segment:
        """A segment to `add`. OSError when the disk is full."""
        self._names += 1
        return segments.allocate(self.folder, f"{self._names}-{os.urandom(4).hex()}", self._segment_bytes)

    def add(self, segment: Segment) -> None:
        self._spares.append(segment)
        self._count_room()

    def take_unsynced(self) -> tuple[list[Segment], Segment | None]:
        """What `sync` must bring to the platter: the segments that were left, and the current one if written to."""
        left, self._left = self._left, []
        current = self._current if self._is_dirty else None
        self._is_dirty = False
        return left, current

    def sync(self, left: list[Segment], current: Segment | None) -> None:
        """Names first, then data; segments that were left are closed. OSError when the disk refuses."""
        if left or current:
            segments.sync_folder(self.folder)
        try:
            for segment in [*left, *([current] if current else [])]:
                os.fdatasync(segment.fd)
        finally:
            for segment in left:
                os.close(segment.fd)

    def close(self) -> None:
        """Give back what was never written."""
        for segment in self._spares:
            os.close(segment.fd)
            segment.path.unlink(missing_ok=True)
        self._spares.clear()
        os.close(self._current.fd)

    def _count_room(self) -> None:
        self.room = self._current.room + sum(spare.room for spare in self._spares)
