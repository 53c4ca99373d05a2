"""The thread that looks after a journal: syncs it every 50 ms, and measures once a second how full the spool is."""

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from metering import segments

if TYPE_CHECKING:
    from metering.journal import Journal

SYNC_SECONDS = 0.05
_MEASURE_EVERY = 20
_FULL_PERCENT = 90

logger = logging.getLogger(__name__)


class Keeper(threading.Thread):
    def __init__(self, journal: "Journal", root: Path, spool_bytes: int) -> None:
        super().__init__(name="journal-keeper", daemon=True)
        self._journal = journal
        self._root = root
        self._limit_bytes = spool_bytes * _FULL_PERCENT // 100
        self._stopping = threading.Event()

    def run(self) -> None:
        turn = 0
        is_full = False
        while not self._stopping.wait(SYNC_SECONDS):
            try:
                if turn % _MEASURE_EVERY == 0:
                    is_full = segments.used_bytes(self._root) >= self._limit_bytes
                self._journal.tend(is_full=is_full)
            except Exception:
                logger.exception("The journal's keeper stumbled and goes on")
            turn += 1

    def stop(self) -> None:
        self._stopping.set()
        self.join()
