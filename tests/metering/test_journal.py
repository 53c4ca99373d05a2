"""What the journal promises: written is written, whatever happens to the process or the disk."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from metering import segments
from metering.frames import MAX_FRAME_BYTES
from metering.journal import Journal, JournalBroken, SpoolFull
from metering.records import Begin, End, Progress, Refused, Sent
from tests.metering.reading import all_records, records
from tests.metering.samples import begin, end, progress, refused
from tests.requirements import require

WRITER = [sys.executable, "-m", "tests.metering.writers"]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


def test_a_record_can_be_read_as_soon_as_the_call_returns(journal: Journal) -> None:
    journal.begin(begin())
    journal.progress(progress())
    journal.end(end())

    assert [type(record) for record in records(journal.folder, is_over=False)] == [Begin, Progress, End]


def test_it_goes_on_in_the_next_segment(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=4 * MAX_FRAME_BYTES)
    for number in range(500):
        journal.begin(begin(f"req_{number}"))
        journal.end(end(f"req_{number}"))
    journal.close()

    assert len(segments.numbers(journal.folder)) > 3
    ended = [record.request_id for record in all_records(tmp_path) if isinstance(record, End)]
    assert ended == [f"req_{number}" for number in range(500)]


def test_each_journal_has_a_locked_folder_of_its_own(tmp_path: Path) -> None:
    first, second = Journal(tmp_path), Journal(tmp_path)

    assert first.folder != second.folder
    for journal in (first, second):
        lock = os.open(journal.folder / segments.LOCK, os.O_RDWR)
        assert segments.has_writer(lock)
        journal.close()
        assert not segments.has_writer(lock)
        os.close(lock)


def test_a_request_that_outlives_its_segments_is_told_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=4 * MAX_FRAME_BYTES)
    journal.begin(begin("req_long"))
    journal.sent(Sent(request_id="req_long", attempt=2, at_us=1, upstream="other", model="m"))
    journal.progress(progress("req_long", attempt=2, output_estimate=7))
    for number in range(400):
        journal.begin(begin(f"req_{number}"))
        journal.end(end(f"req_{number}"))
    time.sleep(0.3)
    for number in segments.numbers(journal.folder)[:-2]:
        segments.path(journal.folder, number).unlink()

    told = [record for record in all_records(tmp_path) if record.request_id == "req_long"]

    assert [type(record) for record in told] == [Begin, Sent, Progress]
    assert told[-1] == progress("req_long", attempt=2, output_estimate=7)
    journal.close()


def test_a_full_spool_refuses_new_requests_and_takes_the_ends_of_running_ones(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1, spool_bytes=1 << 20)
    journal.begin(begin("req_running"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "journal").write_bytes(bytes(1 << 20))
    _wait_until(lambda: journal.trouble != "")

    with pytest.raises(SpoolFull):
        journal.begin(begin("req_new"))
    journal.end(end("req_running"))
    (tmp_path / "other" / "journal").unlink()
    _wait_until(lambda: journal.trouble == "")
    journal.begin(begin("req_new"))
    journal.close()

    read = [(type(record), record.request_id) for record in records(journal.folder)]
    assert read == [(Begin, "req_running"), (End, "req_running"), (Begin, "req_new")]


def test_a_hammering_caller_is_counted(journal: Journal) -> None:
    for number in range(5_000):
        journal.refused(refused(f"req_{number}"))
    _wait_until(lambda: any(record.count > 1 for record in records(journal.folder, is_over=False)))

    written = records(journal.folder, is_over=False)
    assert all(isinstance(record, Refused) for record in written)
    assert sum(record.count for record in written) == 5_000
    assert len(written) < 40


def test_what_is_only_counted_is_written_at_the_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(100):
        journal.refused(refused(f"req_{number}"))

    journal.close()

    assert sum(record.count for record in records(journal.folder)) == 100


def test_threads_do_not_tear_each_others_records(journal: Journal) -> None:
    def write(name: str) -> None:
        for number in range(200):
            journal.begin(begin(f"{name}_{number}"))
            journal.end(end(f"{name}_{number}"))

    threads = [threading.Thread(target=write, args=[f"thread_{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(records(journal.folder, is_over=False)) == 1_600


def test_synced_each_time_it_writes_the_same(tmp_path: Path) -> None:
    journal = Journal(tmp_path, sync="each")
    journal.begin(begin())
    journal.end(end())
    journal.close()

    assert [type(record) for record in records(journal.folder)] == [Begin, End]


@pytest.mark.timeout(600)
def test_killed_at_any_moment_it_has_every_acknowledged_record(tmp_path: Path, acceptance: bool) -> None:
    acknowledged: list[str] = []
    for _ in range(100 if acceptance else 10):
        acknowledged += acknowledged_until_killed(tmp_path, after_seconds=random.uniform(0.01, 0.15))

    kinds = {Begin: "begin", Progress: "progress", End: "end", Refused: "refused"}
    read = {f"{kinds[type(record)]} {record.request_id}" for record in all_records(tmp_path)}
    assert len(acknowledged) > 100
    assert set(acknowledged) - read == set()


def test_a_full_disk_loses_no_running_request(tmp_path: Path) -> None:
    said = _on_a_disk_of(4, tmp_path, f"{' '.join(WRITER)} full_disk {tmp_path} && cp -r {tmp_path} {tmp_path}.copy")

    assert said.returncode == 0, said.stderr
    begun = int(said.stdout.split()[1])
    ended = {record.request_id for record in all_records(Path(f"{tmp_path}.copy")) if isinstance(record, End)}
    assert said.stdout.split()[2:] == ["late", "0"]
    assert begun > 50
    assert ended == {f"req_{number}" for number in range(begun)} | {"req_again"}


def test_without_room_to_start_it_says_so(tmp_path: Path) -> None:
    said = _on_a_disk_of(1, tmp_path, f"{' '.join(WRITER)} no_room_to_start {tmp_path}")

    assert said.stdout == "broken\n", said.stderr


def test_a_disk_that_refuses_writes_refuses_requests_until_it_takes_them_again(tmp_path: Path) -> None:
    said = subprocess.run([*WRITER, "refused_writes", tmp_path], capture_output=True, text=True, check=True)

    assert said.stdout.splitlines() == ["broken True", "trouble ''"]
    read = [(type(record), record.request_id) for record in all_records(tmp_path)]
    assert {(End, "req_before"), (Refused, "req_counted"), (Begin, "req_after"), (End, "req_after")} <= set(read)
    assert (Begin, "req_refused") not in read


def test_after_a_failed_sync_what_it_may_have_cost_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.begin(begin("req_running"))
    failed = threading.Event()

    def fail_once(fd: int) -> None:
        monkeypatch.undo()
        failed.set()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("metering.spool.os.fdatasync", fail_once)
    journal.progress(progress("req_running"))
    assert failed.wait(5)
    _wait_until(lambda: journal.trouble == "" and len(segments.numbers(journal.folder)) == 2)
    _wait_until(lambda: len(records(journal.folder, is_over=False)) == 4)
    segments.path(journal.folder, 1).unlink()

    assert [type(record) for record in records(journal.folder)] == [Begin, Progress]
    journal.begin(begin("req_new"))
    journal.close()


def test_a_second_end_is_a_mistake_of_ours(journal: Journal) -> None:
    journal.begin(begin())
    journal.end(end())

    with pytest.raises(KeyError):
        journal.end(end())


def test_after_it_was_closed_nothing_is_written_anywhere(journal: Journal, tmp_path: Path) -> None:
    journal.begin(begin("req_running"))
    journal.close()
    taken = [os.open(tmp_path / "other", os.O_CREAT | os.O_RDWR) for _ in range(5)]  # the descriptors it had

    journal.end(end("req_running"))
    with pytest.raises(JournalBroken):
        journal.begin(begin("req_late"))

    assert (tmp_path / "other").read_bytes() == b""
    assert [type(record) for record in records(journal.folder)] == [Begin]
    for fd in taken:
        os.close(fd)


def test_without_room_for_a_folder_it_is_broken(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(JournalBroken):
        Journal(tmp_path / "file" / "journal")


def _on_a_disk_of(megabytes: int, place: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command that sees a small disk at `place`, in a mount namespace of its own."""
    small_disk = [require("unshare"), "-rm", "sh", "-c"]
    mount = f"mount -t tmpfs -o size={megabytes}m none {place}"
    if subprocess.run([*small_disk, mount], capture_output=True, check=False).returncode:
        missing = pytest.fail if os.environ.get("TOLLGATE_TEST_REQUIRE") == "all" else pytest.skip
        missing("needs a user namespace that may mount")
    return subprocess.run([*small_disk, f"{mount} && {command}"], capture_output=True, text=True, check=False)


def acknowledged_until_killed(root: Path, *, after_seconds: float) -> list[str]:
    writer = subprocess.Popen([*WRITER, "endless", root], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    first = writer.stdout.readline()
    killer = threading.Timer(after_seconds, writer.send_signal, [signal.SIGKILL])
    killer.start()
    said = first + writer.stdout.read()
    writer.wait()
    killer.join()
    return said.decode().rpartition("\n")[0].splitlines()


def _wait_until(condition, seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
