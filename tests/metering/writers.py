"""Processes that write a journal and meet a bad end: `python -m tests.metering.writers SCENARIO ROOT`."""

import os
import resource
import sys
import time
from pathlib import Path

from metering.journal import Journal, JournalBroken, SpoolFull
from tests.metering.samples import begin, end, progress, refused

SEGMENT_BYTES = 128 << 10


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


def endless(root: Path) -> None:
    """Say each record once it is written, until killed. Every third request is left running."""
    journal = Journal(root, segment_bytes=SEGMENT_BYTES)
    number = 0
    while True:
        number += 1
        name = f"req_{os.getpid()}_{number}"
        journal.begin(begin(name, started_at_us=time.time_ns() // 1_000))
        say(f"begin {name}")
        journal.progress(progress(name))
        say(f"progress {name}")
        if number % 3:
            journal.end(end(name))
            say(f"end {name}")
        if number % 5 == 0:
            journal.refused(refused(f"{name}_refused", api_key_id=name))
            say(f"refused {name}_refused")


def dies_with_three_running(root: Path) -> None:
    """One request only begun, one under way, one whose second attempt was sent; then wait to be killed."""
    from metering.records import Sent

    journal = Journal(root)
    journal.begin(begin("req_begun"))
    journal.begin(begin("req_under_way"))
    journal.progress(progress("req_under_way", message_id="msg_under_way"))
    journal.begin(begin("req_twice"))
    journal.end(end("req_twice", is_final=False, outcome="upstream_error", status=529, usage=None))
    journal.sent(Sent(request_id="req_twice", attempt=2, at_us=0, upstream="other", model="claude-opus-4-1-20250805"))
    say("ready")
    time.sleep(60)


def full_disk(root: Path) -> None:
    """On a disk of a few MB: begin until there is no room, end all that runs, make room, begin again."""
    journal = Journal(root, segment_bytes=SEGMENT_BYTES)
    (root / "ballast").write_bytes(bytes(256 << 10))
    begun = 0
    try:
        while True:
            journal.begin(begin(f"req_{begun}"))
            begun += 1
    except SpoolFull:
        say(f"begun {begun}")
    _fill(root / "rest")
    for number in range(begun):
        journal.progress(progress(f"req_{number}"))
        journal.end(end(f"req_{number}", usage={"note": "x" * 15_000}))
    say(f"late {len(journal._late)}")
    (root / "rest").unlink()
    (root / "ballast").unlink()
    time.sleep(0.3)
    journal.begin(begin("req_again"))
    journal.end(end("req_again"))
    journal.close()


def no_room_to_start(root: Path) -> None:
    _fill(root / "rest")
    try:
        Journal(root / "journal", segment_bytes=SEGMENT_BYTES)
    except JournalBroken:
        say("broken")


def refused_writes(root: Path) -> None:
    """The kernel refuses to write: requests are refused, ENDs wait, and all goes on when it writes again."""
    journal = Journal(root, segment_bytes=SEGMENT_BYTES)
    time.sleep(0.2)
    journal.begin(begin("req_before"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        journal.begin(begin("req_refused"))
    except JournalBroken:
        say(f"broken {bool(journal.trouble)}")
    journal.progress(progress("req_before"))
    journal.end(end("req_before"))
    journal.refused(refused("req_counted"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    time.sleep(1.5)
    say(f"trouble {journal.trouble!r}")
    journal.begin(begin("req_after"))
    journal.end(end("req_after"))
    journal.close()


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
