"""Reading journals back in tests, the way the shipper does."""

from pathlib import Path

from metering import segments
from metering.records import Record, decode
from metering.running import Position
from metering.tail import Tail


def records(folder: Path, *, is_over: bool = True) -> list[Record]:
    """Everything that can be read of one journal folder."""
    tail = Tail(folder, Position(0, 0))
    found = []
    while chunk := tail.read(is_over=is_over):
        found += [decode(payload) for _, payload in chunk]
    tail.close()
    return found


def all_records(root: Path) -> list[Record]:
    return [record for folder in segments.folders(root) for record in records(root / str(folder))]
