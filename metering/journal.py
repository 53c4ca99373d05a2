"""The journal of one process: a request is on disk before its first byte goes upstream.

Every record is one `os.write` into a pre-allocated segment and nothing is held back in memory: what was written
survives the death of this process at any point. A helper thread (`metering.keeper`) brings it to the platter.
Room for the ENDs of all running requests is set aside: a full disk refuses new requests and loses no running one.
A request that outlives its segment is told again in a later one, so that no segment is kept for its sake.
"""

import logging
import os
import shutil
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal

from metering import failpoints, segments
from metering.frames import MAX_FRAME_BYTES, frame
from metering.keeper import Keeper
from metering.records import Begin, End, Progress, Refused, Sent, encode
from metering.refusals import Refusals
from metering.spool import Spool

SEGMENT_BYTES = 16 << 20
SPOOL_BYTES = 2 << 30
_FULL = "the journal's spool is full"

logger = logging.getLogger(__name__)


class JournalError(Exception):
    """The request must not be served, because it cannot be recorded."""


class SpoolFull(JournalError):
    """No room: the disk is full, or the database has been away for long."""


class JournalBroken(JournalError):
    """The disk refused a write or a sync. The journal goes on by itself as soon as one succeeds."""


@dataclass(slots=True)
class _Running:
    """A request without its final END: the frames that tell it again, and the segment they were last written to."""

    segment: int
    told: list[bytes]
    progress: bytes = b""


class Journal:
    """One per process. Its methods are synchronous, take microseconds, and are safe from any thread."""

    def __init__(
        self,
        root: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        spool_bytes: int = SPOOL_BYTES,
        sync: Literal["interval", "each"] = "interval",
    ) -> None:
        """Open a folder of its own below `root`. JournalBroken when the disk does not even hold that."""
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._refusals = Refusals()
        self._late: deque[tuple[bytes, bool]] = deque()  # ENDs to write once it works, and whether they are final
        self._is_closed = False
        self._is_full = False
        self._fault = ""
        self._open(root, segment_bytes, syncs_each=sync == "each")
        self._keeper = Keeper(self, root, spool_bytes)
        self._keeper.start()

    def _open(self, root: Path, segment_bytes: int, *, syncs_each: bool) -> None:
        try:
            self.folder, self._flock = segments.create_folder(root, str(uuid.uuid4()))
        except OSError as error:
            raise JournalBroken(f"cannot write below {root}: {error}") from error
        try:
            self._spool = Spool(self.folder, segment_bytes, syncs_each=syncs_each)
        except OSError as error:
            os.close(self._flock)
            shutil.rmtree(self.folder, ignore_errors=True)
            raise JournalBroken(f"cannot write below {root}: {error}") from error

    def begin(self, record: Begin) -> None:
        """Before the first byte goes upstream. SpoolFull or JournalBroken: the request must not be sent."""
        data = frame(encode(record))
        with self._lock:
            self._write_attempt(data)
            self._running[record.request_id] = _Running(self._spool.number, [data])
        failpoints.reach(failpoints.AFTER_BEGIN)

    def sent(self, record: Sent) -> None:
        """Before the first byte of a further attempt. SpoolFull or JournalBroken: it must not be sent."""
        data = frame(encode(record))
        with self._lock:
            running = self._running[record.request_id]
            self._write_attempt(data)
            running.told.append(data)

    def progress(self, record: Progress) -> None:
        """What a running attempt has used so far. Left out when room is short: END will say it."""
        data = frame(encode(record))
        with self._lock:
            self._running[record.request_id].progress = data
            self._write_if_room(data)
        failpoints.reach(failpoints.AFTER_USAGE)

    def end(self, record: End) -> None:
        """An attempt of a running request is over (KeyError when it is not running).

        The disk cannot make this fail: what it refuses now is written as soon as it can be.
        """
        data = frame(encode(record))
        with self._lock:
            if record.is_final:
                del self._running[record.request_id]  # the room that was set aside is free now
            if self._late or not self._write_end(data, record.is_final):
                self._late.append((data, record.is_final))
        failpoints.reach(failpoints.AFTER_END)

    def refused(self, record: Refused) -> None:
        """A request that never ran. Beyond ten a second of one key and reason they are only counted, for a second."""
        now = time.monotonic()
        with self._lock:
            alone = self._refusals.offer(record, now)
            if alone is not None and not self._write_if_room(frame(encode(alone))):
                self._refusals.hold(alone, now)

    @property
    def running(self) -> int:
        """Requests that have begun and not ended."""
        return len(self._running)

    @property
    def trouble(self) -> str:
        """Why new requests are refused; empty when they are not."""
        return self._fault or (_FULL if self._is_full else "")

    def close(self) -> None:
        """Write what is only counted yet, sync, and leave the folder to the shipper. A second time does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._keeper.stop()
        with self._lock:
            self._write_waiting(inf)
            if self._late:
                logger.error("%d ENDs could not be written: their requests will be interrupted", len(self._late))
        self._sync()
        with self._lock:
            self._spool.close()
            os.close(self._flock)

    def tend(self, *, is_full: bool) -> None:
        """For the keeper, every 50 ms: see to segments, to what waits to be written, and to the platter.

        `is_full` says whether all journals of this data folder together leave room for new requests.
        """
        if is_full and not self._is_full:
            logger.error("%s: new requests are refused until some of it has been shipped", _FULL)
        self._is_full = is_full
        self._prepare_segments()
        with self._lock:
            self._write_waiting(time.monotonic())
        self._tell_again()
        self._sync()

    def _write_attempt(self, data: bytes) -> None:
        """BEGIN or SENT, with room for the END that will follow."""
        if self._is_full:
            raise SpoolFull(_FULL)
        if self._fault:
            raise JournalBroken(self._fault)
        self._make_room(len(data) + MAX_FRAME_BYTES)
        if not self._write(data):
            raise JournalBroken(self._fault)

    def _set_aside(self) -> int:
        """Bytes that the final ENDs of all running requests may need."""
        return len(self._running) * MAX_FRAME_BYTES

    def _make_room(self, size: int) -> None:
        """`size` bytes beside what is set aside. The keeper does this ahead; a burst can be faster than it."""
        while self._spool.room < size + self._set_aside():
            try:
                self._spool.add(self._spool.allocate())
            except OSError as error:
                raise SpoolFull(f"the disk has no room for the journal: {error}") from error

    def _write_end(self, data: bytes, is_final: bool) -> bool:
        """Whether it was written. Only a request's final END has room set aside."""
        return self._write(data) if is_final else self._write_if_room(data)

    def _write_if_room(self, data: bytes) -> bool:
        """Write what is not worth the room that is set aside. Whether it was written."""
        if self._fault:
            return False
        try:
            self._make_room(len(data))
        except SpoolFull:
            return False
        return self._write(data)

    def _write(self, data: bytes) -> bool:
        """Whether the frame was written: to this segment, or to the next when this one refuses it."""
        try:
            self._spool.write(data)
        except OSError as error:
            if not self._fault:
                logger.error("The journal leaves a segment that cannot be written: %s", error)
            return self._write_elsewhere(data)
        return True

    def _write_elsewhere(self, data: bytes) -> bool:
        try:
            self._spool.write(data)
        except OSError as error:
            self._note_fault(error)
            return False
        return True

    def _note_fault(self, error: OSError) -> None:
        if not self._fault:
            logger.error("The journal is broken, new requests are refused: %s", error)
        self._fault = f"the journal cannot be written: {error}"

    def _prepare_segments(self) -> None:
        """Room for one more segment than the running requests need, so that `begin` finds it ready."""
        while self._spool.room < self._spool.segment_bytes + self._set_aside():
            try:
                spare = self._spool.allocate()
            except OSError:
                return  # `begin` says so, if it comes to need it
            with self._lock:
                self._spool.add(spare)

    def _write_waiting(self, now: float) -> None:
        """ENDs that the disk refused, refusals that were only counted."""
        while self._late and self._write_end(*self._late[0]):
            self._late.popleft()
        for record in self._refusals.due(now):
            if not self._write_if_room(frame(encode(record))):
                self._refusals.hold(record, now)

    def _tell_again(self) -> None:
        """Write requests again that were told two segments ago, where there is room: the old one can then go."""
        oldest = self._spool.number - 1
        for request_id in [name for name, running in list(self._running.items()) if running.segment < oldest]:
            with self._lock:
                running = self._running.get(request_id)
                if running is not None and self._write_all(running):
                    running.segment = self._spool.number

    def _write_all(self, running: _Running) -> bool:
        told = [*running.told, running.progress] if running.progress else running.told
        return all(self._write_if_room(data) for data in told)

    def _sync(self) -> None:
        """Bring what was written to the platter. What a failing sync may have cost is told again."""
        with self._lock:
            unsynced = self._spool.take_unsynced()
        try:
            unsynced.sync()
        except OSError as error:
            with self._lock:
                self._note_fault(error)
                self._spool.is_torn = True
                for running in self._running.values():
                    running.segment = -1
            return
        self._try_again()

    def _try_again(self) -> None:
        """After a fault: accept requests again once a new segment was had and a sync has succeeded."""
        with self._lock:
            if not self._fault:
                return
            try:
                if self._spool.is_torn:
                    self._spool.rotate()
                    return
            except OSError:
                return
            if not self._late:
                self._fault = ""
                logger.warning("The journal can be written again")
