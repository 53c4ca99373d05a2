"""`./tollgate bench`: run it, print the table, write what was asked for."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from config.bench.document import machine, page
from config.bench.runner import run
from config.bench.table import lines_of
from config.bench.targets import ROOT

DOCUMENT = ROOT / "docs" / "benchmark.md"


def bench(*, seconds: float, json_file: Path | None, with_console: bool, writes_docs: bool) -> int:
    """0: it ran, and the ledger holds every request that was sent. A missed goal is said, and is no failure."""
    with _stopping_on_sigterm():
        report = run(seconds=seconds, with_console=with_console)
    print("\n".join(lines_of(report)))
    if json_file:
        json_file.write_text(json.dumps(report.as_json(), indent=2) + "\n")
    if writes_docs:
        DOCUMENT.write_text(page(report, machine=machine(), seconds=seconds))
        print(f"written: {DOCUMENT.relative_to(ROOT)}", file=sys.stderr)
    return 1 if report.failures or report.recorded != report.sent else 0


@contextmanager
def _stopping_on_sigterm() -> Iterator[None]:
    """A terminated benchmark, too, stops what it started."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
