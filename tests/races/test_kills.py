"""Killed at any point, under load: what reached the simulator is in the ledger afterwards, once."""

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway import ROOT, Factory, Gateway, Outside, wait_until
from tests.races import accounts

CONNECTIONS = 70
"""Half of them on slow streams at any moment."""

IN_FLIGHT = 30
RETURN_SECONDS = 60.0
"""For a killed process to be there again, on a busy machine."""


@dataclass(frozen=True)
class Kill:
    """Who dies. At a named point it is whoever reaches it; `all` then follow at once."""

    victim: str
    point: str = ""


REDUCED = [Kill("worker", "after-usage"), Kill("jobs", "inside-ship"), Kill("all")]
FULL = [
    Kill("worker", "after-begin"),
    Kill("worker"),
    Kill("worker", "after-usage"),
    Kill("jobs"),
    Kill("worker", "after-end"),
    Kill("supervisor"),
    Kill("jobs", "inside-ship"),
    Kill("all"),
    Kill("all", "after-begin"),
    Kill("worker"),
    Kill("all", "after-usage"),
    Kill("supervisor"),
    Kill("all", "after-end"),
    Kill("jobs"),
    Kill("all", "inside-ship"),
    Kill("all"),
    Kill("worker", "after-end"),
    Kill("worker"),
    Kill("jobs", "inside-ship"),
    Kill("all"),
]


@dataclass
class Scene:
    """A gateway of two workers, its simulator outside, and a load that never ends by itself."""

    gateway: Gateway
    simulator: Outside
    points: Path
    oldest_seconds: float
    """How old the oldest stream has to be at each kill."""

    def wait_for_load(self) -> int:
        """How many requests are in flight when there are enough of them, old enough."""
        wait_until(lambda: self._in_flight() >= IN_FLIGHT, seconds=60, what=f"{IN_FLIGHT} requests in flight")
        wait_until(lambda: self._oldest() > self.oldest_seconds, seconds=60, what="an old stream")
        return self._in_flight()

    def kill(self, kill: Kill) -> None:
        """Kill, and see to it that everything runs again."""
        before = self.gateway.pids()
        if kill.point:
            armed = self.points / kill.point
            armed.touch()
            wait_until(lambda: not armed.exists(), seconds=30, what=f"the death {kill.point}")
            if kill.victim != "all":
                wait_until(lambda: self._have_changed(before), seconds=RETURN_SECONDS, what="the return of the killed")
                return
        match kill.victim:
            case "all":
                self.gateway.kill_all()
                self.gateway.start()
            case "supervisor":
                self.gateway.kill("supervisor")
                self.gateway.start()
            case name:
                victim = "worker 1" if name == "worker" else name
                self.gateway.kill(victim)
                wait_until(lambda: self._have_changed(before), seconds=RETURN_SECONDS, what=f"a new {victim}")

    def _have_changed(self, before: dict[str, int]) -> bool:
        now = self.gateway.pids()
        return set(now) == set(before) and now != before

    def _in_flight(self) -> int:
        told = httpx.get(f"{self.simulator.address}/simulator/ledger", params={"since": 10**15}).json()
        return int(told["in_flight"])

    def _oldest(self) -> float:
        """Seconds since the oldest request that the simulator still answers came."""
        running: dict[str, float] = {}
        for line in self.simulator.ledger.read_text().splitlines():
            entry = json.loads(line)
            if entry["event"] == "received":
                running[entry["request_id"]] = entry["at_us"] / 1_000_000
            else:
                running.pop(entry["request_id"], None)
        return time.time() - min(running.values(), default=time.time())


@pytest.mark.timeout(1_500)
def test_what_reached_the_simulator_is_in_the_ledger_once(gateway: Factory, tmp_path: Path, acceptance: bool) -> None:
    points, report = tmp_path / "points", tmp_path / "report.jsonl"
    points.mkdir()
    simulator = gateway.outside_simulator()
    environment = {"TOLLGATE_FAILPOINTS": str(points), "TOLLGATE_DATABASE_FSYNC": "on"}  # as in earnest: it dies, too
    running = gateway(workers=2, simulator=simulator, environment=environment)
    scene = Scene(running, simulator, points, oldest_seconds=10.0 if acceptance else 2.0)

    load = _start_load(running, report, slow_seconds=15.0 if acceptance else 5.0)
    in_flight = []
    try:
        for kill in FULL if acceptance else REDUCED:
            in_flight.append(scene.wait_for_load())
            scene.kill(kill)
        scene.wait_for_load()
    finally:
        load.communicate(timeout=200)  # closes its standard input, which tells it to come to an end
    accounts.wait_for_shipping(running)

    books = accounts.read(running, simulator.ledger)
    outcomes = Counter(row["outcome"] for row in books.finals.values())
    assert load.returncode == 0
    assert min(in_flight) >= IN_FLIGHT
    assert outcomes["interrupted"] >= IN_FLIGHT
    assert outcomes["completed"] >= IN_FLIGHT
    assert list(accounts.missing_or_doubled(books)) == []
    assert list(accounts.wrong_amounts(books)) == []
    assert list(accounts.interrupted_without_their_input(books)) == []
    assert list(accounts.rollups_that_differ(running)) == []
    assert list(accounts.totals_that_differ(running)) == []
    assert list(_forgotten(books, report)) == []
    interrupted = [row for row in books.finals.values() if row["outcome"] == "interrupted"]
    assert all(row["is_estimated"] for row in interrupted)
    assert any(row["message_id"] and row["output_tokens"] > 1 for row in interrupted)


def _start_load(gateway: Gateway, report: Path, *, slow_seconds: float) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.races.load", "--port", str(gateway.port), "--key", gateway.api_key]
    command += ["--report", str(report), "--connections", str(CONNECTIONS), "--slow-seconds", str(slow_seconds)]
    return subprocess.Popen(command, cwd=ROOT, env=gateway.environment, stdin=subprocess.PIPE)


def _forgotten(books: accounts.Books, report: Path) -> Any:
    """Requests that were answered, as far as their client knows, and have no row."""
    for text in report.read_text().splitlines():
        line = json.loads(text)
        is_counted_alone = line["kind"] not in ("refused here", "wrong key")
        if line["request_id"] and is_counted_alone and line["request_id"] not in books.finals:
            yield line
