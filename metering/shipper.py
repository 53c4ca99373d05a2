"""From the journals of one data folder to the ledger: every 200 ms, what has ended is written.

One shipper per data folder, by a lock on it. After a failure it forgets what it has read and starts again from the
marks in the database: reading again changes nothing (`metering.ledger`), and memory stays bounded while it waits.
"""

import fcntl
import logging
import os
import shutil
import threading
from pathlib import Path
from uuid import UUID

import psycopg

from metering import segments
from metering.folder import FolderReader
from metering.ledger import UNSHIPPABLE, Ledger
from metering.quarantine import Quarantine
from metering.rows import Row

STEP_SECONDS = 0.2
MOST_ROWS = 5_000
_LONGEST_WAIT_SECONDS = 5.0

logger = logging.getLogger(__name__)


class AlreadyShipping(Exception):
    """Another process ships this data folder."""


class Shipper:
    """`step` ships once what there is; `run` does so until it is told to stop. Not safe for threads."""

    def __init__(self, root: Path, database_url: str) -> None:
        """`root` holds the journal folders. Nothing is locked or connected yet."""
        self._root = root
        self._database_url = database_url
        self._quarantine = Quarantine(root)
        self._folders: dict[UUID, FolderReader] = {}
        self._ledger: Ledger | None = None
        self._lock: int | None = None
        self._is_failing = False

    def run(self, stop: threading.Event) -> None:
        """Ship until `stop` is set, and then what is left. Failures are logged once, and tried again."""
        wait = 0.0
        while not stop.wait(wait):
            wait = self._wait_after_step(wait)
        while not self._is_failing and self._wait_after_step(0.0) == 0.0:
            pass
        self.close()

    def step(self) -> int:
        """Ship what has ended since the last step, some 5,000 rows at most; how many were new to the ledger.

        AlreadyShipping, psycopg.Error, OSError: nothing is lost, call `start_again` and then `step`.
        """
        self._take_lock()
        if self._ledger is None:
            self._ledger = Ledger(self._database_url)
        self._discover(self._ledger)
        rows, folders = self._gather(self._ledger)
        return self._ship(self._ledger, rows, folders) if folders else 0

    def start_again(self) -> None:
        """Forget the connection and what was read. It will be read again, from the marks in the database."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
        for folder in self._folders.values():
            folder.close()
        self._folders.clear()

    def close(self) -> None:
        """Let another process ship."""
        self.start_again()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _wait_after_step(self, waited: float) -> float:
        """One step, and the seconds until the next."""
        try:
            written = self.step()
        except AlreadyShipping:
            return _LONGEST_WAIT_SECONDS
        except (psycopg.Error, OSError) as error:
            self._note_failure(error)
            return min(max(2 * waited, STEP_SECONDS), _LONGEST_WAIT_SECONDS)
        except Exception as error:
            logger.exception("The shipper stumbled")
            self._note_failure(error)
            return _LONGEST_WAIT_SECONDS
        if self._is_failing:
            logger.warning("Usage is shipped again")
            self._is_failing = False
        return 0.0 if written >= MOST_ROWS else STEP_SECONDS

    def _note_failure(self, error: Exception) -> None:
        if not self._is_failing:
            logger.error("Usage cannot be shipped and waits in the journal: %s", error)
        self._is_failing = True
        self.start_again()

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._root / "shipper.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise AlreadyShipping(f"another process ships {self._root}") from None
        self._lock = lock

    def _discover(self, ledger: Ledger) -> None:
        for folder in segments.folders(self._root):
            if folder not in self._folders:
                path = self._root / str(folder)
                mark = ledger.mark(folder)
                if mark.is_closed:  # all of it is shipped, and deleting it was interrupted
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    self._folders[folder] = FolderReader(path, mark, self._quarantine)

    def _gather(self, ledger: Ledger) -> tuple[list[Row], list[FolderReader]]:
        """Rows to ship, and the folders whose marks go with them. The folders take turns in being the first."""
        rows: list[Row] = []
        marked: list[FolderReader] = []
        for folder in list(self._folders.values()):
            self._folders[folder.id] = self._folders.pop(folder.id)
            found = folder.read(MOST_ROWS - len(rows), ledger.prices)
            rows += found
            if found or folder.leaves_segments:
                marked.append(folder)
            if len(rows) >= MOST_ROWS:
                break
        return rows, marked

    def _ship(self, ledger: Ledger, rows: list[Row], folders: list[FolderReader]) -> int:
        marks = [folder.mark for folder in folders]
        try:
            written = ledger.ship(rows, marks)
        except UNSHIPPABLE as error:
            logger.error("A batch of usage was refused, its rows are tried apart: %s", error)
            written = ledger.ship_what_can_be(rows, marks, self._quarantine.keep_row)
        for folder, mark in zip(folders, marks, strict=True):
            folder.forget(mark)
            if mark.is_closed:
                del self._folders[folder.id]
        return written
