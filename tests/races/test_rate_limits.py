"""Rates and concurrency over several workers: what the simulator saw is what was admitted."""

import math
import time

import pytest

from tests.gateway import Factory, Gateway, Outside
from tests.races import callers

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def simulator(gateway: Factory) -> Outside:
    return gateway.outside_simulator()


@pytest.fixture
def four(gateway: Factory, simulator: Outside) -> Gateway:
    return gateway(workers=4, simulator=simulator)


def limited(gateway: Gateway, *arguments: str) -> None:
    gateway.command("limit", "set", "--key", gateway.api_key, *arguments)


def span(entries: list[dict]) -> float:
    """Seconds from the first to the last admission."""
    times = [entry["at_us"] for entry in entries]
    return (max(times) - min(times)) / 1_000_000


async def test_three_times_the_limit(four: Gateway, simulator: Outside, acceptance: bool) -> None:
    limit, a_second, seconds = (600, 30, 60) if acceptance else (300, 60, 10)
    limited(four, "--requests-per-minute", str(limit))

    statuses = await callers.steady(
        four.address, four.api_key, callers=8, a_second=a_second, seconds=seconds, content=callers.body()
    )

    entries = callers.admitted(simulator.ledger)
    t = span(entries)
    print(statuses, t, limit + limit * t / 60, limit + limit * (t + 1) / 60)
    assert set(statuses) == {200, 429}
    assert len(entries) == statuses[200]
    assert 0.99 * (limit + limit * t / 60) <= len(entries) <= limit + limit * (t + 1) / 60


async def test_three_times_the_limit_in_tokens(four: Gateway, simulator: Outside, acceptance: bool) -> None:
    content = callers.body(text="hello " * 100)
    tokens = int(len(content) / 3.5)
    limit, a_second, seconds = (600 * tokens, 30, 60) if acceptance else (300 * tokens, 60, 10)
    limited(four, "--input-tokens-per-minute", str(limit))

    await callers.steady(four.address, four.api_key, callers=8, a_second=a_second, seconds=seconds, content=content)

    t = span(callers.admitted(simulator.ledger))
    used = callers.input_tokens(simulator.ledger)
    print(used, limit + limit * t / 60, limit + limit * (t + 1) / 60)
    assert 0.99 * (limit + limit * t / 60) <= used <= limit + limit * (t + 1) / 60


async def test_ten_a_minute_for_many_at_once(four: Gateway, simulator: Outside, acceptance: bool) -> None:
    callers = 500 if acceptance else 100
    limited(four, "--requests-per-minute", "10")
    start = time.monotonic()

    statuses = await callers.at_once(four.address, four.api_key, callers=callers, rounds=1, content=callers.body())

    entries = callers.admitted(simulator.ledger)
    assert set(statuses) <= {200, 429}
    assert 10 <= len(entries) <= 10 + math.floor((time.monotonic() - start) / 6)


async def test_one_at_a_time_serves_a_sequential_client(four: Gateway, acceptance: bool) -> None:
    rounds = 1000 if acceptance else 100
    limited(four, "--concurrent-requests", "1")

    statuses: callers.Counter[int] = callers.Counter()
    for _ in range(rounds // 10):  # new connections reach other workers
        statuses += await callers.at_once(four.address, four.api_key, callers=1, rounds=10, content=callers.body())

    assert statuses == {200: rounds}


async def test_one_at_a_time_is_never_two(four: Gateway, simulator: Outside, acceptance: bool) -> None:
    limited(four, "--concurrent-requests", "1")

    statuses = await callers.at_once(
        four.address, four.api_key, callers=50, rounds=10 if acceptance else 2, content=callers.body()
    )

    entries = callers.admitted(simulator.ledger)
    print(statuses)
    assert statuses[200] > 0
    assert set(statuses) == {200, 429}
    assert max(entry["in_flight"] for entry in entries) == 1
