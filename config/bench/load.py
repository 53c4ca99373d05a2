"""The load generator: `python -m config.bench.load --url U --key K --load json --seconds 5 [--rate N]`.

Without a rate every connection sends its next request as soon as it has its answer; with one, requests fall due on
a clock and wait for a free connection, so that a slow server cannot hide its delays by slowing the generator.
Prints a line of JSON when the measured window opens, when it closes, and with the result.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter, deque
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import uvloop

from config.bench import loads
from config.bench.connection import Connection
from config.bench.figures import spread

TICK_SECONDS = 0.001
WARM_UP_SECONDS = 0.4
RAMP_SECONDS = 1.5  # for opening paced streams
SETTLE_SECONDS = 0.7  # between the last paced stream's opening and the window
GIVE_UP_SECONDS = 30.0  # for answers still under way at the end


class Generator:
    """Drives the connections of one load against one address and keeps the figures."""

    def __init__(self, load: loads.Load, address: str, key: str, *, rate: float | None) -> None:
        where = urlsplit(address)
        self.host, self.port = where.hostname or "127.0.0.1", where.port or 80
        self.load = load
        self.rate = rate
        self.request = loads.request(load, host=f"{self.host}:{self.port}", key=key)
        self.idle: deque[Connection] = deque()
        self.waiting: deque[float] = deque()
        self.connections: list[Connection] = []
        self.is_sending = self.is_measuring = False
        self.sent = self.in_flight = self.completed = self.finished_in_window = 0
        self.all_answered = asyncio.Event()
        self.failures: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.first_bytes: list[float] = []
        self.delays: list[int] = []

    async def run(self, seconds: float) -> dict[str, Any]:
        """Warm up, measure for `seconds`, let every answer end; the result."""
        self.is_sending = True
        if self.load.is_paced:
            await self._open_streams()
        else:
            await self._connect(self.load.connections)
            self._begin()
            await asyncio.sleep(WARM_UP_SECONDS)
        window = await self._measure(seconds)
        self.is_sending = False
        await self._drain()
        return self._result(window)

    async def _measure(self, seconds: float) -> dict[str, Any]:
        self.is_measuring = True
        for connection in self.connections:
            connection.delays = self.delays if self.load.is_paced else None
        events, cpu, started = self._events(), time.process_time(), time.perf_counter()
        _say({"at": "start"})
        await asyncio.sleep(seconds)
        self.is_measuring = False
        for connection in self.connections:
            connection.delays = None
        elapsed = time.perf_counter() - started
        window = {
            "seconds": elapsed,
            "requests": self.finished_in_window,
            "events": self._events() - events,
            "generator_cpu_seconds": time.process_time() - cpu,
        }
        _say({"at": "end", **window})
        return window

    async def _connect(self, count: int) -> None:
        for _ in range(count):
            await self._open()

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: Connection(self.request, streams=self.load.is_stream, done=self._done, lost=self._lost),
            self.host,
            self.port,
        )
        self.connections.append(connection)
        self.idle.append(connection)
        return connection

    async def _open_streams(self) -> None:
        """One request on each connection, spread over the ramp; then wait until all have settled."""
        started = time.perf_counter()
        for index in range(self.load.connections):
            await asyncio.sleep(max(0.0, started + index * RAMP_SECONDS / self.load.connections - time.perf_counter()))
            await self._open()
            self._send(time.perf_counter())
        await asyncio.sleep(max(0.0, started + RAMP_SECONDS + SETTLE_SECONDS - time.perf_counter()))

    def _begin(self) -> None:
        if self.rate is None:
            for _ in range(len(self.idle)):
                self._send(time.perf_counter())
        else:
            self._tick(time.perf_counter(), 0)

    def _tick(self, started: float, fell_due: int) -> None:
        """Send what fell due since the last tick; what finds no free connection waits, and its wait counts."""
        if not self.is_sending or self.rate is None:
            return
        now = time.perf_counter()
        due = int((now - started) * self.rate)
        for _ in range(due - fell_due):
            if self.idle:
                self._send(now)
            else:
                self.waiting.append(now)
        asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick, started, due)

    def _send(self, due: float) -> None:
        self.sent += 1
        self.in_flight += 1
        self.all_answered.clear()
        self.idle.popleft().send(due)

    def _done(self, connection: Connection, failure: str | None) -> None:
        now = time.perf_counter()
        if failure:
            self.failures[failure] += 1
        else:
            self.completed += 1
            if self.is_measuring:
                self.finished_in_window += 1
                self.latencies.append(now - connection.due)
            if self.is_measuring or self.load.is_paced:
                self.first_bytes.append(connection.first_byte - connection.due)
        self.in_flight -= 1
        if not self.in_flight:
            self.all_answered.set()
        if self.is_sending and not self.load.is_paced and not connection.transport.is_closing():
            self._next(connection, now)

    def _next(self, connection: Connection, now: float) -> None:
        self.idle.append(connection)
        if self.rate is None:
            self._send(now)
        elif self.waiting:
            self._send(self.waiting.popleft())

    def _lost(self, connection: Connection) -> None:
        """A server may close a kept-alive connection: another takes its place."""
        if connection in self.idle:
            self.idle.remove(connection)
        if self.is_sending and not self.load.is_paced:
            asyncio.get_running_loop().create_task(self._replace())  # noqa: RUF006

    async def _replace(self) -> None:
        await asyncio.sleep(0.01)
        await self._open()
        if self.idle and self.is_sending and (self.rate is None or self.waiting):
            self._send(self.waiting.popleft() if self.waiting else time.perf_counter())

    async def _drain(self) -> None:
        patience = GIVE_UP_SECONDS + self.load.events * self.load.interval_ms / 1000
        try:
            await asyncio.wait_for(self.all_answered.wait(), patience)
        except TimeoutError:
            self.failures["no answer"] += self.in_flight
        for connection in self.connections:
            connection.transport.close()

    def _events(self) -> int:
        return sum(connection.events for connection in self.connections)

    def _result(self, window: dict[str, Any]) -> dict[str, Any]:
        return {
            "at": "result",
            "load": self.load.name,
            "sent": self.sent,
            "completed": self.completed,
            "failures": dict(self.failures),
            "window": window,
            "requests_per_second": window["requests"] / window["seconds"],
            "events_per_second": window["events"] / window["seconds"],
            "latency_ms": spread(self.latencies, scale=1e3),
            "first_byte_ms": spread(self.first_bytes, scale=1e3),
            "event_delay_ms": spread(self.delays, scale=1e-6),
        }


async def generate(load: loads.Load, address: str, key: str, rate: float | None, seconds: float) -> dict[str, Any]:
    return await Generator(load, address, key, rate=rate).run(seconds)


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", default=os.environ.get(loads.KEY_VARIABLE, "none"))
    parser.add_argument("--load", choices=sorted(loads.LOADS), default="json")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, help="requests a second; without it: as many as are answered")
    parser.add_argument("--connections", type=int, help="how many at once, instead of the load's own number")
    parser.add_argument("--core", type=int, help="the only processor core to run on")
    args = parser.parse_args()
    if args.core is not None:
        os.sched_setaffinity(0, {args.core})
    load = loads.LOADS[args.load].lasting(RAMP_SECONDS + SETTLE_SECONDS + args.seconds + 0.5)
    if args.connections:
        load = replace(load, connections=args.connections)
    result = uvloop.run(generate(load, args.url, args.key, args.rate, args.seconds))
    _say(result)
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
