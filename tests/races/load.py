"""Callers of one gateway: each on a connection of its own, in one event loop, without retries."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

HEADERS = {"anthropic-version": "2023-06-01", "content-type": "application/json"}


def body(*, text: str = "Hello", max_tokens: int = 5) -> bytes:
    return json.dumps(
        {"model": "claude-sonnet-5", "max_tokens": max_tokens, "messages": [{"role": "user", "content": text}]}
    ).encode()


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
