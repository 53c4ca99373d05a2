"""Advisory locks between processes of one machine: `flock` on a file, gone with the process that held it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Locked(Exception):
    """Somebody else holds the lock. `holder` is what they wrote into the file, often their process id."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class FileLock:
    """One open lock file. Closing it, or the death of the process, gives the lock back."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def share(self) -> None:
        """Hold it together with others; waits while somebody holds it alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def wait(self) -> None:
        """Hold it alone; waits for all others."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def try_alone(self) -> bool:
        """Hold it alone if nobody else holds it now. A shared hold may be lost by trying."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, text: str) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def read(self) -> str:
        return os.pread(self._descriptor, 100, 0).decode(errors="replace").strip()

    def close(self) -> None:
        os.close(self._descriptor)


@contextmanager
def waiting_for(path: Path) -> Iterator[None]:
    """Alone in the block, after everybody who came earlier."""
    lock = FileLock(path)
    try:
        lock.wait()
        yield
    finally:
        lock.close()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Alone in the block, or `Locked` at once. The file names the holder's process id."""
    lock = FileLock(path)
    try:
        if not lock.try_alone():
            raise Locked(lock.read())
        lock.write(str(os.getpid()))
        yield
    finally:
        lock.close()
