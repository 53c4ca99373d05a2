"""How much of the journals is not in the ledger yet."""

import os
from pathlib import Path
from uuid import UUID

from django.db import connection

from metering import segments
from metering.records import BadRecord, Begin, End, Refused, decode
from metering.running import Position
from metering.tail import Tail

_BEGINNING = (Position(0, 0), Position(0, 0))


def count(root: Path) -> int:
    """Requests below `root` that have ended, or whose process has died, and are not in the ledger.

    Running requests of living processes are not among them: there is nothing to ship of them yet.
    """
    if not root.exists():
        return 0
    folders = segments.folders(root)
    marks = _marks(folders)
    return sum(_count(root / str(folder), *marks.get(folder, _BEGINNING)) for folder in folders)


def _marks(folders: list[UUID]) -> dict[UUID, tuple[Position, Position]]:
    """(where to read from, up to where it is shipped) of the folders that the shipper knows."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT id, segment, "offset", shipped_segment, shipped_offset FROM metering_journalfolder'
            " WHERE id = ANY(%s)",
            [folders],
        )
        return {row[0]: (Position(row[1], row[2]), Position(row[3], row[4])) for row in cursor.fetchall()}


def _count(folder: Path, restart: Position, shipped: Position) -> int:
    is_over = _is_over(folder)
    tail = Tail(folder, restart)
    running: set[str] = set()
    ended = 0
    while records := tail.read(is_over=is_over):
        for place, payload in records:
            try:
                record = decode(payload)
            except BadRecord:
                continue  # the shipper puts it aside
            if isinstance(record, Begin):
                running.add(record.request_id)
            elif isinstance(record, Refused):
                ended += place >= shipped
            elif isinstance(record, End) and record.is_final:
                running.discard(record.request_id)
                ended += place >= shipped
    tail.close()
    return ended + (len(running) if is_over else 0)


def _is_over(folder: Path) -> bool:
    try:
        lock = os.open(folder / segments.LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True  # the shipper is deleting it
    try:
        return not segments.has_writer(lock)
    finally:
        os.close(lock)
