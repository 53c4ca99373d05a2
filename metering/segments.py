"""The files of a journal folder: numbered segments, full of zeros until they are written.

Their blocks are allocated ahead, under a name without a number, so that writing into them cannot meet a full disk.
A segment gets its number when the one before it is left: whoever sees it knows that the one before has ended.
"""

import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from metering.frames import MAX_FRAME_BYTES

LOCK = "lock"
_SUFFIX = ".segment"


@dataclass(slots=True)
class Segment:
    """A segment that is being written, or waits to be."""

    path: Path
    fd: int
    size: int
    number: int = 0
    position: int = 0

    @property
    def room(self) -> int:
        """Bytes that records are sure to find here: the last one may be too long for what is left."""
        return max(0, self.size - self.position - MAX_FRAME_BYTES)


def path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}{_SUFFIX}"


def numbers(folder: Path) -> list[int]:
    """The segments that exist, oldest first. A folder that is gone has none."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(int(name.removesuffix(_SUFFIX)) for name in names if name.endswith(_SUFFIX))


def allocate(folder: Path, name: str, size: int) -> Segment:
    """A new segment of `size` zeros, without a number yet. OSError when there is no room; then nothing stays."""
    spare = folder / f"{name}.spare"
    fd = os.open(spare, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError:
        os.close(fd)
        spare.unlink(missing_ok=True)
        raise
    return Segment(spare, fd, size)


def give_number(segment: Segment, number: int) -> None:
    """From now on the segment is what readers read."""
    segment.path = segment.path.rename(path(segment.path.parent, number))
    segment.number = number


def create_folder(root: Path, name: str) -> tuple[Path, int]:
    """A new journal folder and the descriptor of its lock, held until it is closed or this process ends.

    It appears under its name only once it is locked, so that nobody takes it for a dead writer's.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    hidden = root / f".{name}"
    hidden.mkdir(mode=0o700)
    lock = os.open(hidden / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = hidden.rename(root / name)
        sync_folder(root)
    except OSError:
        os.close(lock)
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    return folder, lock


def has_writer(lock: int) -> bool:
    """Whether the process that made a folder still holds its lock. Asking shares the lock, so that all may ask."""
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def folders(root: Path) -> list[UUID]:
    """The journal folders below `root`."""
    found = []
    for name in os.listdir(root):
        try:
            found.append(UUID(name))
        except ValueError:
            continue  # a lock, the quarantine, a folder that is still being made
    return found


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the platter."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def used_bytes(root: Path) -> int:
    """What all journals below `root` occupy."""
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            try:
                total += os.stat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue  # shipped and deleted meanwhile
    return total
