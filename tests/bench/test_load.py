"""The load generator against the mock, and against servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from config.bench import loads
from config.bench.answers import LAST_CHUNK, STREAM_HEAD, event, message
from config.bench.load import Generator
from config.bench.targets import Target

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """A server that calls `answer` for each whole request."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                await answer(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("load", [loads.JSON, loads.SSE], ids=lambda load: load.name)
async def test_every_request_is_answered_and_counted(mock: Target, load: loads.Load) -> None:
    generator = Generator(replace(load, connections=4), mock.address, "none", rate=None)

    result = await generator.run(0.2)

    assert result["failures"] == {}
    assert result["sent"] == result["completed"] > result["window"]["requests"] > 10
    assert result["latency_ms"]["p99"] >= result["latency_ms"]["p50"] > 0
    assert result["window"]["events"] == pytest.approx(result["window"]["requests"] * load.events, abs=4 * load.events)


async def test_with_a_rate_requests_fall_due_on_a_clock(mock: Target) -> None:
    result = await Generator(loads.JSON, mock.address, "none", rate=200).run(0.5)

    assert result["failures"] == {}
    assert result["window"]["requests"] == pytest.approx(100, abs=15)


async def test_paced_streams_are_open_at_once_and_every_event_is_timed(mock: Target) -> None:
    load = replace(loads.PACED, connections=20).lasting(3.2)

    result = await Generator(load, mock.address, "none", rate=None).run(0.5)

    assert (result["sent"], result["completed"], result["failures"]) == (20, 20, {})
    assert result["window"]["requests"] == 0
    assert result["window"]["events"] == pytest.approx(100, abs=25)
    assert 0 <= result["event_delay_ms"]["p50"] < 50


async def test_a_server_slower_than_the_rate_cannot_hide_its_delays() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(message(b"claude"))

    async with server(slow) as address:
        result = await Generator(replace(loads.JSON, connections=1), address, "none", rate=100).run(0.6)

    assert result["latency_ms"]["p99"] > 300  # 50 ms to serve, the rest waiting for the only connection


async def test_errors_and_cut_streams_are_failures() -> None:
    answers = [b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", STREAM_HEAD + event(b"claude", 0, 60, 0) + LAST_CHUNK]

    async def fails(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        writer.write(answers[0])
        answers.reverse()

    async with server(fails) as address:
        result = await Generator(replace(loads.SSE, connections=2), address, "none", rate=None).run(0.1)

    assert result["completed"] == 0
    assert set(result["failures"]) == {"status 500", "a stream without its last event"}
    assert sum(result["failures"].values()) == result["sent"]


async def test_a_closed_connection_is_replaced_and_an_unanswered_request_is_a_failure() -> None:
    asked = []

    async def hangs_up_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        place = len(asked)
        await asyncio.sleep(0.01)
        if place == 3:
            writer.close()
        else:
            writer.write(message(b"claude"))

    async with server(hangs_up_once) as address:
        result = await Generator(replace(loads.JSON, connections=2), address, "none", rate=None).run(0.2)

    assert result["failures"] == {"connection lost": 1}
    assert result["completed"] == result["sent"] - 1 > 10
