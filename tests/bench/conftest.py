"""The mock upstream as the benchmark runs it, in a process of its own."""

from collections.abc import Iterator

import pytest

from config.bench.targets import Cores, Target, mock_upstream


@pytest.fixture(scope="session")
def mock() -> Iterator[Target]:
    with mock_upstream(Cores.of_this_machine()) as target:
        yield target
