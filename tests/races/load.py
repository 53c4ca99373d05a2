"""A load in a process of its own: `python -m tests.races.load --port P --key K --report FILE ...`.

Many connections ask one request after the other. Whatever happens to the server, they go on: a connection that fails
is made again. Each request leaves one JSON line in the report: its number, kind, request id, and what was seen of the
answer: `whole`, `error` (an `event: error`), `refused` (a status of 400 or more), `cut`, `left` (we went away),
`unanswered`, or `unsent` (nobody listened).
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

from tests.faults.connection import Connection
from tests.races import mix
from tests.races.mix import Ask

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 90.0
RETRY_SECONDS = 0.05
LEAVES_AFTER_SECONDS = 0.15
WRONG_KEY = "sk-toll-api01-wrong"

_FAILURES = (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError)
"""`EOFError` stands for asyncio's own IncompleteReadError."""


class Load:
    def __init__(self, port: int, key: str, asks: Iterator[Ask], report: TextIO) -> None:
        self._port = port
        self._key = key
        self._asks = asks
        self._report = report
        self._is_stopping = False

    async def run(self, connections: int) -> None:
        await asyncio.gather(*(self._work() for _ in range(connections)))

    def stop(self) -> None:
        """No new requests; those that run come to their end."""
        self._is_stopping = True

    async def _work(self) -> None:
        connection: Connection | None = None
        for ask in self._asks:
            if self._is_stopping:
                break
            try:
                connection = connection or await self._connect()
            except _FAILURES:
                self._note(ask, "unsent")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            async with _dropped_on_failure(connection) as state:
                await self._exchange(connection, ask)
                state.is_well = not ask.leaves
            if not state.is_well:
                connection = None
        if connection is not None:
            connection.abort()

    async def _connect(self) -> Connection:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
        return Connection(reader, writer)

    async def _exchange(self, connection: Connection, ask: Ask) -> None:
        key = self._key if ask.has_good_key else WRONG_KEY
        connection.send("POST /v1/messages", ask.body, x_api_key=key, anthropic_version="2023-06-01", **ask.headers)
        seen, request_id, status = "unanswered", "", 0
        try:
            await connection.writer.drain()
            if ask.leaves == "early":
                await asyncio.sleep(LEAVES_AFTER_SECONDS)
                seen = "left"
                return
            async with asyncio.timeout(ANSWER_SECONDS):
                status, headers = await connection.head()
                request_id, seen = headers.get("request-id", ""), "cut"
                if ask.leaves == "late":
                    await connection.some()
                    seen = "left"
                    return
                seen = _judged(status, await connection.content(headers))
        finally:
            self._note(ask, seen, request_id, status)

    def _note(self, ask: Ask, seen: str, request_id: str = "", status: int = 0) -> None:
        line = {"number": ask.number, "kind": ask.kind, "seen": seen, "request_id": request_id, "status": status}
        self._report.write(json.dumps(line) + "\n")


class _State:
    is_well = False


@asynccontextmanager
async def _dropped_on_failure(connection: Connection) -> AsyncIterator[_State]:
    """After a failure, or when the body says so, the connection is aborted and must not be used again."""
    state = _State()
    try:
        yield state
    except _FAILURES:
        state.is_well = False
    if not state.is_well:
        connection.abort()


def _judged(status: int, content: bytes) -> str:
    if status >= 400:
        return "refused"
    return "error" if b"event: error" in content else "whole"


async def _main(options: argparse.Namespace) -> None:
    if options.requests:
        asks = (mix.everyday(number, options.seed) for number in range(options.requests))
    else:
        asks = (mix.slow(number, options.seed, options.slow_seconds) for number in range(10**9))
    with Path(options.report).open("w", buffering=1) as report:
        load = Load(options.port, options.key, asks, report)
        if not options.requests:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), load.stop)
        await load.run(options.connections)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--report", required=True, help="a file")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--requests", type=int, default=0, help="how many; 0: slow ones until stdin ends")
    parser.add_argument("--slow-seconds", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(_main(_options()))
