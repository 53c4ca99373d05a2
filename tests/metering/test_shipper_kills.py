"""Journal to ledger while processes are killed: nothing is missing, nothing is there twice."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from metering import failpoints
from metering.journal import Journal
from metering.models import UsageRecord
from metering.shipper import Shipper
from tests.metering.samples import begin, end
from tests.metering.shipping import assert_rollups_are_sums_of_rows, shipping_process
from tests.metering.test_journal import WRITER, acknowledged_until_killed

pytestmark = pytest.mark.django_db(transaction=True)


def _ship_the_rest(root: Path) -> None:
    shipper = Shipper(root, settings.DATABASE_URL)
    while shipper.step():
        pass
    shipper.close()


def _arm(folder: Path, point: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / point).touch()
    return folder


def test_killed_inside_the_transaction_it_ships_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for number in range(500):
        journal.begin(begin(f"req_{number}"))
        journal.end(end(f"req_{number}"))
    armed = _arm(tmp_path / "failpoints", failpoints.INSIDE_SHIP)

    for _ in range(3):
        _arm(armed, failpoints.INSIDE_SHIP)
        process = shipping_process(tmp_path / "journal", failpoints=armed)
        assert process.wait(30) == -signal.SIGKILL
        assert UsageRecord.objects.count() == 0
    _ship_the_rest(tmp_path / "journal")

    assert UsageRecord.objects.count() == 500
    assert_rollups_are_sums_of_rows()
    journal.close()


@pytest.mark.parametrize("point", [failpoints.AFTER_BEGIN, failpoints.AFTER_USAGE, failpoints.AFTER_END])
def test_killed_at_a_named_point_each_request_is_there_once(tmp_path: Path, point: str) -> None:
    armed = _arm(tmp_path / "failpoints", point)

    said = subprocess.run(
        [*WRITER, "endless", tmp_path / "journal"],
        env=os.environ | {"TOLLGATE_FAILPOINTS": str(armed)},
        stdout=subprocess.PIPE,
        check=False,
    )
    _ship_the_rest(tmp_path / "journal")

    outcome = "completed" if point == failpoints.AFTER_END else "interrupted"
    assert said.returncode == -signal.SIGKILL
    row = UsageRecord.objects.get()
    assert (row.outcome, row.is_final, row.requests) == (outcome, True, 1)
    assert row.output_tokens == {failpoints.AFTER_BEGIN: 0, failpoints.AFTER_USAGE: 40, failpoints.AFTER_END: 87}[point]
    assert_rollups_are_sums_of_rows()


def test_what_a_dead_process_left_running_is_interrupted(tmp_path: Path) -> None:
    writer = subprocess.Popen([*WRITER, "dies_with_three_running", tmp_path], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    shipper = Shipper(tmp_path, settings.DATABASE_URL)
    shipper.step()
    assert UsageRecord.objects.filter(is_final=True).count() == 0  # it lives

    writer.kill()
    writer.wait()
    shipper.step()
    shipper.close()

    final = UsageRecord.objects.filter(is_final=True).order_by("request_id")
    assert [(row.request_id, row.attempt, row.outcome, row.is_estimated) for row in final] == [
        ("req_begun", 1, "interrupted", True),
        ("req_twice", 2, "interrupted", True),
        ("req_under_way", 1, "interrupted", True),
    ]
    assert final[2].message_id == "msg_under_way"
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


@pytest.mark.timeout(900)
def test_with_writers_and_shippers_killed_all_the_time_every_request_is_there_once(
    tmp_path: Path, acceptance: bool
) -> None:
    over = threading.Event()
    killer = threading.Thread(target=_ship_and_kill, args=[tmp_path, over])
    killer.start()

    acknowledged: list[str] = []
    for _ in range(100 if acceptance else 8):
        acknowledged += acknowledged_until_killed(tmp_path, after_seconds=random.uniform(0.05, 0.4))
    over.set()
    killer.join()
    _ship_the_rest(tmp_path)

    begun = {line.split()[1] for line in acknowledged if line.startswith("begin")}
    ended = {line.split()[1] for line in acknowledged if line.startswith("end")}
    final = list(UsageRecord.objects.filter(is_final=True).values_list("request_id", "outcome"))
    rows = dict(final)
    assert len(rows) == len(final)
    assert begun - rows.keys() == set()
    assert {name for name in ended if rows[name] != "completed"} == set()
    assert_rollups_are_sums_of_rows()


def _ship_and_kill(root: Path, over: threading.Event) -> None:
    while not over.is_set():
        process = shipping_process(root)
        over.wait(random.uniform(0.5, 2.0))
        process.kill()
        process.wait()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter: as root, PostgreSQL may run as another user."""
    with tempfile.TemporaryDirectory(prefix="tollgate-test-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_a_database_that_restarts_is_only_waited_for(open_folder: Path) -> None:
    data = open_folder / "data"
    said = subprocess.run(
        [sys.executable, "-m", "tests.metering.restarting", data],
        env={**os.environ, "TOLLGATE_DATA": str(data), "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.stdout.splitlines() == ["rows 200", "rows 500"], said.stderr
    assert said.stderr.count("Usage cannot be shipped") == 1
    assert said.stderr.count("Usage is shipped again") == 1
