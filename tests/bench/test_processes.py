import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from config.bench.processes import cpu_seconds, memory_kb, waited_seconds, with_descendants

SPIN = """
import subprocess, sys, time
until = time.process_time() + 0.25
while time.process_time() < until: pass
if len(sys.argv) > 1: subprocess.run([sys.executable, "-c", sys.argv[1]])
print("spun", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def spun() -> Iterator[int]:
    """A process that took a quarter of a second of processor time, and as much again in a child that has ended."""
    child = SPIN.replace("sys.stdin.read()", "")
    with subprocess.Popen(
        [sys.executable, "-c", SPIN, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_the_processor_time_of_a_process_counts_its_ended_children(spun: int) -> None:
    taken = cpu_seconds(spun)
    time.sleep(0.1)

    assert 0.5 <= taken < 0.9
    assert cpu_seconds(spun) == pytest.approx(taken, abs=0.02)
    assert waited_seconds([spun]) >= 0
    assert memory_kb([spun]) > 1_000


def test_a_process_that_is_gone_takes_nothing() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()

    assert (cpu_seconds(gone.pid), memory_kb([gone.pid]), waited_seconds([gone.pid])) == (0.0, 0, 0.0)


def test_descendants_are_found() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 30 & echo $!; wait"], stdout=subprocess.PIPE) as shell:
        assert shell.stdout
        sleeping = int(shell.stdout.readline())

        assert with_descendants(shell.pid) == [shell.pid, sleeping]

        subprocess.run(["kill", str(sleeping)], check=True)
