"""A client that leaves is still billed: exactly where the answer can be read to its end, else by estimate."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Faulty
from tests.faults.connection import connected
from tests.faults.raw import STREAM_HEAD, Request, Writer, chunk
from tests.faults.samples import USAGE, body, frames
from tests.gateway import Gateway, wait_until
from tests.journeys.rows import Row, final_row, query

POST = "POST /v1/messages"
QUICK = "output-tokens=60; events-per-second=20"
"""About a second."""


def head(gateway: Gateway) -> dict[str, str]:
    return {"x_api_key": gateway.api_key, "anthropic_version": "2023-06-01"}


def simulated(gateway: Gateway, request_id: str) -> dict[str, Any]:
    """The simulator's last word on a request of ours."""
    ledger = Path(gateway.data / "simulator" / "ledger.jsonl")
    found: list[dict[str, Any]] = []

    def has_ended() -> bool:
        entries = (json.loads(line) for line in ledger.read_text().splitlines() if request_id in line)
        found[:] = [entry for entry in entries if entry["event"] == "finished"]
        return bool(found)

    wait_until(has_ended, what="the end of it in the simulator's ledger")
    return found[0]


async def leave_a_stream(gateway: Gateway, script: str) -> str:
    """Ask for a stream, take its beginning, and go. The request id."""
    content = json.dumps(body(stream=True)).encode()
    async with connected(gateway.port) as connection:
        connection.send(POST, content, x_tollgate_simulator_pace=script, **head(gateway))
        _, headers = await connection.head()
        assert b"message_start" in await connection.some()
        connection.abort()
    return headers["request-id"]


async def test_a_stream_is_read_to_its_end_for_exact_tokens(shared_gateway: Gateway) -> None:
    request_ids = await asyncio.gather(*(leave_a_stream(shared_gateway, QUICK) for _ in range(10)))

    for request_id in request_ids:
        row = final_row(shared_gateway, request_id)
        end = simulated(shared_gateway, request_id)
        assert end["outcome"] == "finished"
        assert (row["outcome"], row["is_estimated"]) == ("client_closed", False)
        assert row["uncached_input_tokens"] == end["usage"]["input_tokens"]
        assert row["output_tokens"] == end["usage"]["output_tokens"]
        assert row["cost_picos"] > 0


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
async def test_leaving_before_the_answer_begins_is_no_different(shared_gateway: Gateway, stream: bool) -> None:
    content = json.dumps(body(stream=stream, metadata={"user_id": "simulator: stall-before-headers=0.7"})).encode()
    before = closed_rows(shared_gateway)

    async with connected(shared_gateway.port) as connection:
        connection.send(POST, content, **head(shared_gateway))
        await asyncio.sleep(0.3)

    row = await new_row(shared_gateway, before)
    assert (row["outcome"], row["is_estimated"], row["is_stream"]) == ("client_closed", False, stream)
    assert row["output_tokens"] == simulated(shared_gateway, row["request_id"])["usage"]["output_tokens"]


async def test_beyond_the_cap_the_upstream_is_closed_and_the_row_estimated(shared_gateway: Gateway) -> None:
    """Half of the answer, then silence for longer than anybody waits for a client that has gone."""
    request_id = await leave_a_stream(shared_gateway, "output-tokens=60; stall-after-events=10:25")

    await asyncio.sleep(9)
    row = final_row(shared_gateway, request_id)
    end = simulated(shared_gateway, request_id)
    assert end["outcome"] == "cut"
    assert (row["outcome"], row["is_estimated"]) == ("client_closed", True)
    assert row["uncached_input_tokens"] == end["usage"]["input_tokens"]
    assert 10 <= row["output_tokens"] <= 60
    assert 9_000_000 <= row["duration_us"] <= 20_000_000


async def test_an_upstream_that_is_not_drained_is_closed_at_once(faulty: Faulty) -> None:
    is_closed = asyncio.Event()

    async def endless(_: Request, writer: Writer) -> None:
        writer.write(STREAM_HEAD + chunk(b"".join(frames("Hello " * 10)[:3])))
        await writer.drain()
        try:
            while True:
                writer.write(chunk(frames("more")[2]))
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            is_closed.set()

    await _set_drains(faulty, value=False)
    try:
        async with faulty.raw.answering(endless), connected(faulty.port) as connection:
            connection.send(POST, json.dumps(body(stream=True)).encode(), **head(faulty.gateway))
            _, headers = await connection.head()
            await connection.some()
            connection.abort()
            await asyncio.wait_for(is_closed.wait(), 3)
    finally:
        await _set_drains(faulty, value=True)

    row = final_row(faulty.gateway, headers["request-id"])
    assert (row["outcome"], row["is_estimated"]) == ("client_closed", True)
    assert row["uncached_input_tokens"] == USAGE["input_tokens"]
    assert row["output_tokens"] >= 10


async def test_leaving_in_the_middle_of_the_body_is_a_refusal_that_counts(shared_gateway: Gateway) -> None:
    before = refused_rows(shared_gateway)

    async with connected(shared_gateway.port) as connection:
        connection.send(POST, b'{"model":', content_length="5000", **head(shared_gateway))
        await asyncio.sleep(0.3)

    def is_counted() -> bool:
        return len(refused_rows(shared_gateway)) == len(before) + 1

    await asyncio.to_thread(wait_until, is_counted, what="the row")


def closed_rows(gateway: Gateway) -> set[str]:
    statement = "SELECT request_id FROM metering_usagerecord WHERE is_final AND outcome = 'client_closed'"
    return {row["request_id"] for row in query(gateway, statement)}


def refused_rows(gateway: Gateway) -> list[Row]:
    return query(gateway, "SELECT request_id FROM metering_usagerecord WHERE reason = 'client_gone' AND status = 499")


async def new_row(gateway: Gateway, before: set[str]) -> Row:
    await asyncio.to_thread(wait_until, lambda: closed_rows(gateway) - before, what="a row of a client that left")
    (request_id,) = closed_rows(gateway) - before
    return final_row(gateway, request_id)


async def _set_drains(faulty: Faulty, *, value: bool) -> None:
    """Workers hear of it by notification; a change of an upstream is in force well within a second."""
    query(
        faulty.gateway,
        "WITH changed AS (UPDATE relay_upstream SET drains = %s WHERE name = 'raw' RETURNING id)"
        " SELECT pg_notify('tollgate_upstreams', id::text) FROM changed",
        [value],
    )
    await asyncio.sleep(0.5)
