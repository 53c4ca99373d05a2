"""Upstreams that are away, silent, or speak something else: an honest status, a row, and nothing left hanging."""

import asyncio
import json
import time

import httpx
import pytest

from tests.faults.conftest import ORPHANED_MODEL, SILENT_SECONDS, Faulty, always, good
from tests.faults.raw import STREAM_HEAD, Request, Writer, chunk, whole
from tests.faults.samples import USAGE, body, frames, message
from tests.journeys.rows import attempts, final_row

both = pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])


async def nothing(_: Request, writer: Writer) -> None:
    """Until the gateway has enough of it."""
    await writer.wait_closed()


async def closing(_: Request, writer: Writer) -> None:
    writer.close()


async def resetting(_: Request, writer: Writer) -> None:
    writer.transport.abort()


@both
async def test_an_upstream_that_is_down_is_503(faulty: Faulty, client: httpx.AsyncClient, stream: bool) -> None:
    answer = await client.post("/v1/messages", json=body(ORPHANED_MODEL, stream=stream))

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert answer.status_code == 503
    assert answer.json()["error"] == {"type": "api_error", "message": "The upstream cannot be reached"}
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["retry-after"]) > 0
    assert (row["outcome"], row["reason"], row["upstream"]) == ("upstream_error", "connect_failed", "nobody")
    assert (row["cost_picos"], row["is_estimated"]) == (0, False)


@both
async def test_no_answer_in_time_is_504_and_is_not_asked_again(
    faulty: Faulty, client: httpx.AsyncClient, stream: bool
) -> None:
    """It may still be working on the request, and bill it."""
    started = time.monotonic()

    async with faulty.raw.answering(nothing):
        answer = await client.post("/v1/messages", json=body(stream=stream))
        assert len(faulty.raw.requests) == 1

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert SILENT_SECONDS <= time.monotonic() - started < SILENT_SECONDS * 2
    assert answer.status_code == 504
    assert answer.json()["error"]["type"] == "timeout_error"
    assert (row["outcome"], row["reason"], row["is_estimated"]) == ("upstream_error", "first_byte_timed_out", True)


async def test_a_stream_that_stalls_ends_with_a_timeout_error(faulty: Faulty, client: httpx.AsyncClient) -> None:
    begun = b"".join(frames("Hello " * 20)[:3])

    async def stall(request: Request, writer: Writer) -> None:
        writer.write(STREAM_HEAD + chunk(begun))
        await nothing(request, writer)

    async with faulty.raw.answering(stall):
        answer = await client.post("/v1/messages", json=body(stream=True))

    row = final_row(faulty.gateway, answer.headers["request-id"])
    told = json.loads(answer.content[answer.content.index(b'{"type":"error"') :])
    assert answer.content.startswith(begun)
    assert told["error"]["type"] == "timeout_error"
    assert (row["outcome"], row["reason"], row["is_estimated"]) == ("upstream_error", "idle_timed_out", True)
    assert row["uncached_input_tokens"] == USAGE["input_tokens"]
    assert 15 <= row["output_tokens"] <= 60  # measured: 120 characters went by


async def test_slow_is_not_silent(faulty: Faulty, client: httpx.AsyncClient) -> None:
    """A stream as such has no limit: only the pauses in it have."""
    sent = frames(*"Hello")

    async def drip(_: Request, writer: Writer) -> None:
        writer.write(STREAM_HEAD)
        for each in sent:
            await asyncio.sleep(SILENT_SECONDS / 7)
            writer.write(chunk(each))
        writer.write(chunk(b""))

    async with faulty.raw.answering(drip):
        answer = await client.post("/v1/messages", json=body(stream=True))

    assert answer.content == b"".join(sent)


@both
@pytest.mark.parametrize("way", [closing, resetting])
async def test_a_connection_that_ends_without_an_answer_is_502(
    faulty: Faulty, client: httpx.AsyncClient, way: object, stream: bool
) -> None:
    async with faulty.raw.answering(way):  # type: ignore[arg-type]
        answer = await client.post("/v1/messages", json=body(stream=stream))

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert answer.status_code == 502
    assert answer.json()["error"]["type"] == "api_error"
    assert (row["outcome"], row["is_estimated"]) == ("upstream_error", True)


@pytest.mark.parametrize("spoken", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100])
async def test_what_is_not_http_is_502(faulty: Faulty, client: httpx.AsyncClient, spoken: bytes) -> None:
    async with faulty.raw.answering(always(spoken)):
        answer = await client.post("/v1/messages", json=body())

    assert answer.status_code == 502


async def test_a_cut_json_answer_never_looks_whole(faulty: Faulty, client: httpx.AsyncClient) -> None:
    async def cut(_: Request, writer: Writer) -> None:
        writer.write(whole(message())[:-20])
        await writer.drain()
        writer.close()

    async with faulty.raw.answering(cut), client.stream("POST", "/v1/messages", json=body()) as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            await answer.aread()

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert (row["outcome"], row["is_estimated"]) == ("upstream_error", True)


async def test_informational_answers_are_passed_over(faulty: Faulty, client: httpx.AsyncClient) -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\nset-cookie: a=b\r\n\r\n"

    async with faulty.raw.answering(always(early + good())):
        answer = await client.post("/v1/messages", json=body())

    assert (answer.status_code, answer.content) == (200, message())
    assert "set-cookie" not in answer.headers


async def test_a_kept_connection_that_went_away_costs_nobody_an_error(
    faulty: Faulty, client: httpx.AsyncClient
) -> None:
    """Upstreams close idle connections at any moment; the request goes out again on a new one."""

    async def once(_: Request, writer: Writer) -> None:
        writer.write(good())
        await writer.drain()
        writer.close()  # without a word of it in the head

    async with faulty.raw.answering(once):
        for _ in range(30):
            answer = await client.post("/v1/messages", json=body())
            assert answer.status_code == 200, answer.text
        request_id = answer.headers["request-id"]

    assert len(attempts(faulty.gateway, request_id)) <= 2
