"""One simulator for all tests of it; each test reads only what it caused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulator.running import RunningSimulator


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    running = RunningSimulator(tmp_path_factory.mktemp("simulator") / "ledger.jsonl")
    yield running
    assert running.stop() == 0


@pytest.fixture
def another_simulator(tmp_path: Path) -> Iterator[Callable[..., RunningSimulator]]:
    """A factory, for tests that need one to themselves."""
    made: list[RunningSimulator] = []

    def start(*arguments: str) -> RunningSimulator:
        made.append(RunningSimulator(tmp_path / "ledger.jsonl", *arguments))
        return made[-1]

    yield start
    for running in made:
        running.stop()
