"""One process's journal as the shipper sees it: what it has read of it, and whether its writer is still there."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from metering import segments
from metering.ledger import Mark
from metering.pricing import PriceTable
from metering.quarantine import Quarantine
from metering.records import decode, encode
from metering.recovery import interrupted
from metering.rows import Row
from metering.running import NotBegun, Position, RunningRequest, RunningRequests
from metering.tail import Tail

_NO_RECORD = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
"""What it can mean that a payload's checksum holds and its content does not."""

logger = logging.getLogger(__name__)


class FolderReader:
    """Reads rows out of one folder and deletes what is shipped. Closed once its writer is dead and all is read."""

    def __init__(self, path: Path, mark: Mark, quarantine: Quarantine) -> None:
        self.path = path
        self.id = mark.folder
        self.is_closed = False
        self._is_over = False
        self._shipped = mark
        self._quarantine = quarantine
        self._tail = Tail(path, mark.restart)
        self._running = RunningRequests()
        self._lock = os.open(path / segments.LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def read(self, most: int, prices: Callable[[], PriceTable]) -> list[Row]:
        """The rows that came to an end since the last call, about `most` of them.

        If the writer has died, reading to the end closes the folder: the requests it left are `interrupted`.
        """
        self._is_over = self._is_over or not segments.has_writer(self._lock)
        found: list[Row] = []
        while len(found) < most:
            records = self._tail.read(is_over=self._is_over)
            rows = [self._take_in(payload, place) for place, payload in records]
            found += [row for row in rows if row is not None]
            if not records:
                return [*found, *self._close(prices)] if self._is_over else found
        return found

    @property
    def mark(self) -> Mark:
        """How far it is read: what must be stored together with the rows."""
        position = self._tail.position
        shipped = max(position, self._shipped.shipped)  # behind it, while it is read again after a restart
        return Mark(self.id, self._running.oldest or position, shipped, self.is_closed)

    @property
    def leaves_segments(self) -> bool:
        """Whether segments are read through that are not yet marked as shipped."""
        return self.is_closed or self.mark.restart.segment > self._shipped.restart.segment

    def forget(self, shipped: Mark) -> None:
        """Delete what is shipped: whole segments, and all of it once it is closed."""
        if shipped.is_closed:
            self.close()
            shutil.rmtree(self.path, ignore_errors=True)
        elif shipped.restart.segment > self._shipped.restart.segment:
            for number in segments.numbers(self.path):
                if number < shipped.restart.segment:
                    segments.path(self.path, number).unlink(missing_ok=True)
        self._shipped = shipped

    def close(self) -> None:
        """Let go of the files; the folder stays as it is."""
        self._tail.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _close(self, prices: Callable[[], PriceTable]) -> list[Row]:
        self.is_closed = True
        left, self._running = self._running, RunningRequests()
        if not left:
            return []
        logger.warning("A process has died with %d requests running: they are interrupted", len(left))
        table = prices()
        return [row for request in left for row in self._interrupt(request, table)]

    def _interrupt(self, request: RunningRequest, table: PriceTable) -> list[Row]:
        try:
            return list(interrupted(request, table))
        except _NO_RECORD as error:
            self._put_aside(encode(request.begin), request.position, error)
            return []

    def _take_in(self, payload: bytes, place: Position) -> Row | None:
        try:
            return self._running.apply(decode(payload), place)
        except _NO_RECORD as error:
            # Read again after a restart, from the oldest running request: others that began before it are in already.
            if not (isinstance(error, NotBegun) and place < self._shipped.shipped):
                self._put_aside(payload, place, error)
            return None

    def _put_aside(self, payload: bytes, place: Position, error: Exception) -> None:
        source = f"{self.path.name}, segment {place.segment}, offset {place.offset}"
        self._quarantine.keep_payload(payload, source=source, problem=f"{type(error).__name__}: {error}")
