"""What arrived and what became of it: JSON lines, appended by one write each, before and after the answer."""

import os
import tempfile
from pathlib import Path
from typing import Any

import orjson

_LARGEST_PIECE = 4 << 20


class Ledger:
    """The file of one simulator. Several may append to one file, and it survives restarts.

    Without a path it is an unnamed temporary file. All requests that are being answered count as in flight.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = _opened(path)
        self.in_flight = 0
        self.most_in_flight = 0

    def received(self, entry: dict[str, Any]) -> None:
        """Write that a request is here. Times in the entry are microseconds since the epoch."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._append({"event": "received", **entry, "in_flight": self.in_flight})

    def finished(self, entry: dict[str, Any]) -> None:
        """Write how it ended."""
        self.in_flight -= 1
        self._append({"event": "finished", **entry})

    def read(self, since: int) -> bytes:
        """Whole lines from the byte offset `since` as JSON: `entries`, `next`, `in_flight`, `most_in_flight`."""
        piece = os.pread(self._file, _LARGEST_PIECE, since)
        piece = piece[: piece.rfind(b"\n") + 1]
        return b'{"entries":[%b],"next":%d,"in_flight":%d,"most_in_flight":%d}' % (
            b",".join(piece.splitlines()),
            since + len(piece),
            self.in_flight,
            self.most_in_flight,
        )

    def close(self) -> None:
        os.close(self._file)

    def _append(self, entry: dict[str, Any]) -> None:
        os.write(self._file, orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))


def _opened(path: Path | None) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)
    with tempfile.NamedTemporaryFile() as unnamed:
        return os.open(unnamed.name, flags)
