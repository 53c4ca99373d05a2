"""`./tollgate bench` as it is run, at its smallest size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import require

ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr. Terminated when the test is, and then it stops what it started."""
    command = [sys.executable, "-m", "config.cli", "bench", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            printed, said = process.communicate()
        finally:
            process.terminate()
        return process.returncode, printed, said


@pytest.mark.timeout(400)
def test_bench_prints_its_table_and_every_request_sent_is_in_the_ledger(tmp_path: Path, acceptance: bool) -> None:
    require("nginx")
    seconds = ["--seconds", "5", "--console"] if acceptance else ["--seconds", "0.5"]

    code, printed, said = bench(*seconds, "--json", str(tmp_path / "bench.json"))

    assert code == 0, said + printed
    found = json.loads((tmp_path / "bench.json").read_text())
    runs = {(run["target"], run["load"]): run for run in found["runs"]}
    assert set(runs) == {
        (target, load) for target in ("tollgate", "nginx", "direct") for load in ("json", "sse", "paced")
    }
    assert found["rows"] == found["sent"] > 1_000
    assert found["failures"] == {}
    assert all(goal["value"] is not None for goal in found["goals"])
    assert "tollgate, no limits" in printed
    ours, nginx = runs["tollgate", "json"], runs["nginx", "json"]
    assert ours["cpu_us_per_request"] > nginx["cpu_us_per_request"] > 1
    assert ours["postgres_cpu_us_per_request"] > 1
    assert runs["tollgate", "paced"]["kb_per_stream"] < 80
