"""A revoked key is refused by every worker within a second: under a hammer, and when it races a worker's first look."""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.faults.connection import Connection
from tests.gateway import ROOT, Factory, Gateway

WORKERS = 4
CONNECTIONS = 16
ALLOWED_SECONDS = 1.0
KEYS_FOR_ONE_ADDRESS = 4
"""More bad keys from one address would meet the limit on those."""

GOOD, REFUSED = 400, {401, 429}
"""An empty body is refused as a body where the key is good; 429: too many bad keys."""


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    factory = Factory()
    yield factory(workers=WORKERS)
    factory.close()


class Revoker:
    """The process that makes the changes, as the command line would."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def create(self, count: int) -> list[tuple[str, str]]:
        return [(id_, secret) for id_, secret in await self._ask(f"create {count}")]

    async def revoke(self, key_id: str) -> float:
        """When it was in force."""
        return float(await self._ask(f"revoke {key_id}"))

    async def _ask(self, line: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line.encode() + b"\n")
        return json.loads(await self._process.stdout.readline())


@pytest.fixture
async def revoker(running: Gateway) -> AsyncIterator[Revoker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.races.revoking",
        cwd=ROOT,
        env={**running.environment, "TOLLGATE_DATA": str(running.data)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    yield Revoker(process)
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


@pytest.mark.timeout(300)
async def test_every_worker_refuses_a_hammering_key_within_a_second(
    running: Gateway, revoker: Revoker, acceptance: bool
) -> None:
    for round_ in range(10 if acceptance else 2):
        ((key_id, secret),) = await revoker.create(1)
        seen: list[tuple[float, int]] = []
        async with connected_to_all(running, f"127.0.1.{round_ + 1}") as connections:
            hammers = [asyncio.create_task(hammer(connection, secret, seen)) for connection in connections]
            await asyncio.sleep(0.5)
            revoked_at = await revoker.revoke(key_id)
            await asyncio.sleep(ALLOWED_SECONDS + 0.5)
            for task in hammers:
                task.cancel()
            await asyncio.gather(*hammers, return_exceptions=True)

        before = [status for sent_at, status in seen if sent_at < revoked_at - 0.2]
        late = [status for sent_at, status in seen if sent_at > revoked_at + ALLOWED_SECONDS]
        assert len(before) > 50
        assert set(before) == {GOOD}
        assert len(late) > 50
        assert set(late) <= REFUSED


@pytest.mark.timeout(600)
async def test_a_revocation_that_races_the_first_look_at_a_key_is_not_forgotten(
    running: Gateway, revoker: Revoker, acceptance: bool
) -> None:
    """Each worker meets the key for the first time in the very milliseconds in which it is revoked."""
    chance = random.Random(1)
    mixed = 0
    rounds = 60 if acceptance else 6
    for round_ in range(rounds):
        async with connected_to_all(running, f"127.0.2.{round_ + 1}") as connections:
            keys = await revoker.create(KEYS_FOR_ONE_ADDRESS)
            for key_id, secret in keys:
                revoking = asyncio.create_task(revoker.revoke(key_id))
                answers = await asyncio.gather(
                    *(ask(connection, secret, chance.uniform(0, 0.03)) for connection in connections)
                )
                revoked_at = await revoking
                mixed += GOOD in answers and not REFUSED.isdisjoint(answers)
            await asyncio.sleep(max(0.0, revoked_at + ALLOWED_SECONDS - time.time()))
            for _, secret in keys:
                answers = await asyncio.gather(*(ask(connection, secret) for connection in connections))
                assert set(answers) <= REFUSED

    assert mixed >= rounds  # else nothing raced


async def hammer(connection: Connection, secret: str, seen: list[tuple[float, int]]) -> None:
    while True:
        sent_at = time.time()
        seen.append((sent_at, await ask(connection, secret)))


async def ask(connection: Connection, secret: str, delay: float = 0.0) -> int:
    await asyncio.sleep(delay)
    connection.send("POST /v1/messages", b"{}", x_api_key=secret, anthropic_version="2023-06-01")
    return (await connection.answer()).status


@asynccontextmanager
async def connected_to_all(gateway: Gateway, address: str) -> AsyncIterator[list[Connection]]:
    """Connections from `address` of which every worker has at least one. The system deals them out as it likes."""
    async with AsyncExitStack() as stack:
        connections: list[Connection] = []
        while len(connections) < CONNECTIONS or not await _all_have_one(gateway, address):
            assert len(connections) < 20 * CONNECTIONS, "a worker takes no connections"
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, local_addr=(address, 0))
            stack.callback(writer.transport.abort)
            connections.append(Connection(reader, writer))
        yield connections


async def _all_have_one(gateway: Gateway, address: str) -> bool:
    await asyncio.sleep(0.01)  # to be taken from the queue
    theirs = _sockets_from(address, gateway.port)
    workers = [pid for name, pid in gateway.pids().items() if name.startswith("worker")]
    assert len(workers) == WORKERS
    return all(theirs & _sockets_of(pid) for pid in workers)


def _sockets_from(address: str, port: int) -> set[str]:
    """Inodes of the server's ends of connections from an address."""
    wanted = "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *rest = line.split()
        if remote.startswith(wanted) and int(local.partition(":")[2], 16) == port:
            inodes.add(rest[6])
    return inodes


def _sockets_of(pid: int) -> set[str]:
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            target = os.readlink(descriptor)
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    return inodes
