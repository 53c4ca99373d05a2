"""Workers that die or stand still, and a database that is away: what was in use comes free, and never twice."""

import os
import signal
import time

import pytest

from tests.gateway import Factory, Gateway
from tests.races import callers

pytestmark = pytest.mark.timeout(300)
FREE_SECONDS = 20.0
"""After which what a lost worker had in use serves others."""


def limited(gateway: Gateway, count: int) -> None:
    gateway.command("limit", "set", "--key", gateway.api_key, "--concurrent-requests", str(count))


def workers(gateway: Gateway) -> list[int]:
    return [pid for name, pid in gateway.pids().items() if name.startswith("worker")]


async def test_what_a_killed_worker_had_in_use_serves_others_after_a_while(gateway: Factory) -> None:
    running = gateway(workers=2)
    limited(running, 2)
    async with callers.running(running.address, running.api_key, streams=2, seconds=100) as statuses:
        assert statuses == [200, 200]
        for pid in workers(running):
            os.kill(pid, signal.SIGKILL)
        start = time.monotonic()

        await until_answered(running)
        await callers.until_free(running.address, running.api_key, seconds=FREE_SECONDS)

    assert time.monotonic() - start < FREE_SECONDS


@pytest.mark.acceptance
async def test_a_worker_that_stood_still_comes_back_and_its_requests_count(gateway: Factory) -> None:
    running = gateway(workers=2)
    limited(running, 2)
    async with callers.running(running.address, running.api_key, streams=2, seconds=60):
        still = workers(running)[0]
        os.kill(still, signal.SIGSTOP)
        try:
            time.sleep(FREE_SECONDS - 2)
        finally:
            os.kill(still, signal.SIGCONT)
        time.sleep(2)

        statuses = await callers.at_once(running.address, running.api_key, callers=4, rounds=2, content=callers.body())

    assert statuses == {429: 8}


async def test_without_a_database_running_streams_still_count(gateway: Factory, acceptance: bool) -> None:
    running = gateway(workers=2)
    limited(running, 10)
    away = 60 if acceptance else 14
    async with callers.running(running.address, running.api_key, streams=10, seconds=away + 40):
        postgres = running.pids()["postgres"]
        os.kill(postgres, signal.SIGSTOP)
        for child in children(postgres):
            os.kill(child, signal.SIGSTOP)
        seen: callers.Counter[int] = callers.Counter()
        try:
            start = time.monotonic()
            while time.monotonic() - start < away:
                seen += await callers.at_once(
                    running.address, running.api_key, callers=2, rounds=1, content=callers.body()
                )
        finally:
            for child in (*children(postgres), postgres):
                os.kill(child, signal.SIGCONT)
        start = time.monotonic()
        while time.monotonic() - start < 5:
            seen += await callers.at_once(running.address, running.api_key, callers=2, rounds=1, content=callers.body())

    print(seen)
    assert set(seen) <= {429, 503, 529}
    assert seen[529] > 0
    await callers.until_free(running.address, running.api_key, seconds=FREE_SECONDS)


async def until_answered(gateway: Gateway) -> None:
    """The supervisor starts workers anew."""
    import httpx

    give_up = time.monotonic() + 15
    while time.monotonic() < give_up:
        try:
            httpx.get(f"{gateway.address}/healthz", timeout=2)
            return
        except httpx.HTTPError:
            time.sleep(0.2)


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]
