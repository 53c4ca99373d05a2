"""Callers of one gateway: each on a connection of its own, in one event loop, without retries."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

HEADERS = {"anthropic-version": "2023-06-01", "content-type": "application/json"}


def body(*, text: str = "Hello", max_tokens: int = 5, seconds: int = 0) -> bytes:
    """A request; with `seconds`, of a stream that takes about so long."""
    value: dict[str, Any] = {
        "model": "claude-sonnet-5",
        "max_tokens": max_tokens,
        "messages": [{"role": "user", "content": text}],
    }
    if seconds:
        pace = f"simulator: events-per-second=4; output-tokens={seconds * 16}"
        value |= {"stream": True, "max_tokens": 8000, "metadata": {"user_id": pace}}
    return json.dumps(value).encode()


async def steady(
    address: str, key: str, *, callers: int, a_second: float, seconds: float, content: bytes
) -> Counter[int]:
    """Requests at an even rate, from `callers` clients in turn; how many got which status."""
    statuses: Counter[int] = Counter()
    async with asyncio.TaskGroup() as group, _clients(address, key, callers) as clients:
        start = time.monotonic()
        calls = []
        for number in range(int(a_second * seconds)):
            await asyncio.sleep(max(0.0, start + number / a_second - time.monotonic()))
            calls.append(group.create_task(_call(clients[number % callers], content, statuses)))
        await asyncio.gather(*calls)
    return statuses


async def at_once(address: str, key: str, *, callers: int, rounds: int, content: bytes) -> Counter[int]:
    """`callers` clients at the same time, each `rounds` requests in a row."""
    statuses: Counter[int] = Counter()

    async def caller(client: httpx.AsyncClient) -> None:
        for _ in range(rounds):
            await _call(client, content, statuses)

    async with _clients(address, key, callers) as clients:
        await asyncio.gather(*(caller(client) for client in clients))
    return statuses


async def until_free(address: str, key: str, *, seconds: float) -> float:
    """How long it takes until a request is admitted. Fails after `seconds`."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if (await at_once(address, key, callers=1, rounds=1, content=body()))[200]:
            return time.monotonic() - start
        await asyncio.sleep(0.2)
    raise AssertionError(f"nothing was admitted within {seconds} s")


@asynccontextmanager
async def running(address: str, key: str, *, streams: int, seconds: int) -> AsyncIterator[list[int]]:
    """So many streams that have begun to answer; the statuses they began with."""
    async with AsyncExitStack() as stack, _clients(address, key, streams) as clients:
        statuses = []
        for client in clients:
            answer = await stack.enter_async_context(
                client.stream("POST", "/v1/messages", content=body(seconds=seconds))
            )
            statuses.append(answer.status_code)
        yield statuses


def admitted(ledger: Path) -> list[dict[str, Any]]:
    """The requests for messages that reached the simulator, by time."""
    entries = [json.loads(line) for line in ledger.read_text().splitlines()]
    return [entry for entry in entries if entry["event"] == "received"]


def input_tokens(ledger: Path) -> int:
    """What the simulator counted as input of all that it answered."""
    entries = [json.loads(line) for line in ledger.read_text().splitlines()]
    return sum(entry["usage"]["input_tokens"] for entry in entries if entry["event"] == "finished")


class _clients:  # noqa: N801
    def __init__(self, address: str, key: str, count: int) -> None:
        limits = httpx.Limits(max_connections=50)
        headers = {**HEADERS, "x-api-key": key}
        self._clients = [
            httpx.AsyncClient(base_url=address, headers=headers, limits=limits, timeout=60) for _ in range(count)
        ]

    async def __aenter__(self) -> list[httpx.AsyncClient]:
        return self._clients

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()


async def _call(client: httpx.AsyncClient, content: bytes, statuses: Counter[int]) -> None:
    answer = await client.post("/v1/messages", content=content)
    statuses[answer.status_code] += 1
