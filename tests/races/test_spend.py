"""Spend limits over several workers: where they end, and who hears what on the way."""

import asyncio
import json
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from tests.gateway import Factory, Gateway, wait_until
from tests.races.callers import HEADERS

pytestmark = pytest.mark.timeout(420)

PICOS = 10**12
MODEL = "claude-opus-5"  # 5 and 25 dollars a million
OUTPUT = 300


def body(*, max_tokens: int = OUTPUT) -> bytes:
    """Worst case with 300 tokens: about 0.0087 dollars; the simulator answers with a tenth of that."""
    return json.dumps(
        {"model": MODEL, "max_tokens": max_tokens, "messages": [{"role": "user", "content": "Hello"}]}
    ).encode()


class Spending:
    """Callers that repeat a request until it is refused for good."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.statuses: Counter[int] = Counter()
        self.refusals: set[str] = set()
        self.spent_at_first_refusal: Decimal | None = None

    async def until_refused(self, callers: int, *, content: bytes, seconds: float = 200.0) -> None:
        limits = httpx.Limits(max_connections=callers)
        headers = {**HEADERS, "x-api-key": self.gateway.api_key}
        give_up = time.monotonic() + seconds
        async with httpx.AsyncClient(
            base_url=self.gateway.address, headers=headers, limits=limits, timeout=60
        ) as client:
            await asyncio.gather(*(self._call(client, content, give_up) for _ in range(callers)))

    async def _call(self, client: httpx.AsyncClient, content: bytes, give_up: float) -> None:
        while time.monotonic() < give_up:
            answer = await client.post("/v1/messages", content=content)
            self.statuses[answer.status_code] += 1
            if answer.status_code == 400:
                self.refusals.add(answer.json()["error"]["message"])
                if self.spent_at_first_refusal is None:
                    self.spent_at_first_refusal = spent(self.gateway)
                return
            if answer.status_code != 200:
                await asyncio.sleep(float(answer.headers["retry-after"]))
        raise AssertionError(f"nobody said that it is over: {self.statuses}")


def fetch(gateway: Gateway, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(gateway.database_url) as connection:
        return connection.execute(statement).fetchall()


def spent(gateway: Gateway) -> Decimal:
    """By the ledger's counter, in dollars."""
    ((picos,),) = fetch(
        gateway, "SELECT coalesce(max(spent), 0) FROM spend_counter WHERE scope LIKE 'key:%' AND period = 'always'"
    )
    return Decimal(picos) / PICOS


def assert_settled(gateway: Gateway) -> None:
    """Everything held is free again, and counters, rollups and rows say the same to the pico-dollar."""
    wait_until(lambda: fetch(gateway, "SELECT sum(held) FROM spend_counter") == [(0,)], seconds=15, what="nothing held")
    sums = fetch(
        gateway,
        "SELECT (SELECT sum(cost_picos) FROM metering_usagerecord), (SELECT sum(cost_picos) FROM"
        " metering_usagequarterhour), (SELECT sum(spent) FROM spend_counter WHERE scope LIKE 'org:%'"
        " AND period = 'always')",
    )
    assert len(set(sums[0])) == 1


def limited(gateway: Gateway, *arguments: str) -> None:
    gateway.command("limit", "set", "--key", gateway.api_key, *arguments)


@pytest.fixture
def four(gateway: Factory) -> Gateway:
    made = gateway(workers=4)
    ((organization,),) = fetch(made, "SELECT name FROM apikeys_organization")
    made.command("tier", "set", "--organization", organization, "custom")
    return made


async def test_a_strict_dollar(four: Gateway, acceptance: bool) -> None:
    limited(four, "--monthly-spend", "1", "--mode", "strict")
    spending = Spending(four)

    await spending.until_refused(500 if acceptance else 60, content=body())

    assert_settled(four)
    print(spending.statuses, spending.refusals, spending.spent_at_first_refusal, spent(four))
    assert Decimal("0.98") <= spent(four) <= 1
    assert spending.spent_at_first_refusal is not None
    assert spending.spent_at_first_refusal >= Decimal("0.98")
    assert set(spending.statuses) <= {200, 400, 429}


async def test_bounded_ends_within_its_margin(four: Gateway, acceptance: bool) -> None:
    limited(four, "--monthly-spend", "0.17", "--mode", "bounded")
    spending = Spending(four)

    await spending.until_refused(200 if acceptance else 30, content=body())

    assert_settled(four)
    print(spending.statuses, spent(four))
    assert Decimal("0.17") <= spent(four) <= Decimal("0.17") + Decimal("0.0090")


async def test_a_limit_lowered_under_load_and_a_key_that_has_spent(four: Gateway) -> None:
    limited(four, "--monthly-spend", "5", "--mode", "strict")
    spending = Spending(four)
    task = asyncio.create_task(spending.until_refused(20, content=body()))
    await asyncio.to_thread(wait_until, lambda: spent(four) > Decimal("0.02"), seconds=60)

    await asyncio.to_thread(limited, four, "--monthly-spend", "1", "--mode", "strict")
    assert spent(four) < Decimal("0.9")
    await task

    assert_settled(four)
    print(spending.statuses, spent(four))
    assert Decimal("0.98") <= spent(four) <= 1
    limited(four, "--daily-spend", "0.5", "--mode", "strict")
    await Spending(four).until_refused(2, content=body())
    assert spent(four) <= 1


async def test_money_of_a_killed_worker_comes_back(four: Gateway) -> None:
    limited(four, "--monthly-spend", "0.2", "--mode", "strict")
    spending = Spending(four)
    calls = asyncio.gather(spending.until_refused(20, content=body()), return_exceptions=True)
    await asyncio.to_thread(wait_until, lambda: spent(four) > Decimal("0.01"), seconds=60)

    four.kill("worker 2")
    await calls

    after = Spending(four)
    await after.until_refused(10, content=body())
    assert_settled(four)
    print(spending.statuses, after.statuses, spent(four))
    assert Decimal("0.18") <= spent(four) <= Decimal("0.2")


async def test_a_month_turns_under_load(four: Gateway) -> None:
    limited(four, "--monthly-spend", "0.1", "--mode", "strict")
    ((left,),) = fetch(four, "SELECT extract(epoch FROM timestamptz '2026-12-01 00:00Z' - clock_timestamp())")
    clock = f"clock_timestamp() + {float(left) - 12} * interval '1 second'"
    with psycopg.connect(four.database_url) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION tollgate_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
            f"$$ SELECT {clock} $$"
        )
    await asyncio.sleep(1.5)  # until every worker has the time from its next heartbeat

    await Spending(four).until_refused(20, content=body())
    await asyncio.sleep(12)
    await Spending(four).until_refused(20, content=body())

    assert_settled(four)
    months = fetch(four, "SELECT period, spent FROM spend_counter WHERE scope LIKE 'key:%' AND length(period) = 7")
    by_month = {period: Decimal(picos) / PICOS for period, picos in months}
    print(by_month)
    assert set(by_month) == {"2026-11", "2026-12"}
    assert all(Decimal("0.09") <= amount <= Decimal("0.1") for amount in by_month.values())
