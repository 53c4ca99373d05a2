"""What cannot become a row is kept beside the journals, so that it stops nothing and nothing is thrown away."""

import base64
import json
import logging
import os
from pathlib import Path
from typing import Any

NAME = "quarantine.jsonl"

logger = logging.getLogger(__name__)


class Quarantine:
    """A file of JSON lines: where each came from, what is wrong with it, and what it says."""

    def __init__(self, root: Path) -> None:
        self._path = root / NAME

    def keep_payload(self, payload: bytes, *, source: str, problem: str) -> None:
        """A record that cannot be read."""
        self._keep({"source": source, "problem": problem, "payload": base64.b64encode(payload).decode()})

    def keep_row(self, row: tuple[Any, ...], problem: str) -> None:
        """A row that PostgreSQL refuses."""
        self._keep({"source": "row", "problem": problem, "row": row})

    def _keep(self, entry: dict[str, Any]) -> None:
        logger.error("A usage record was put aside into %s: %s (%s)", self._path, entry["problem"], entry["source"])
        fd = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, json.dumps(entry, default=str).encode() + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)
