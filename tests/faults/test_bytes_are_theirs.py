"""A stream's bytes arrive as the upstream sent them, at once, in whatever pieces it sent them."""

import asyncio
import random
from collections.abc import Callable

import httpx
import pytest

from tests.faults.conftest import Faulty
from tests.faults.raw import STREAM_HEAD, Request, Writer, always, chunk
from tests.faults.samples import body, frame, frames
from tests.journeys.rows import final_row

PING = b'event: ping\ndata: {"type": "ping"}\n\n'
CHINESE = frames("从前有一座山，", "山里有一座庙。", "🏯" * 20)
WINDOWS = frames("one", "two\u2028three", newline="\r\n")
ODD = [
    *frames("x" * 5)[:3],
    b": a comment\n\n",
    b"event: tomorrow\ndata: {not json}\n\n",
    b"data: no name\n\n",
    frame("content_block_start", index=1, content_block={"type": "web_search_tool_result", "content": "A" * 300_000}),
    *frames("x" * 5)[3:],
]
SAMPLES = [CHINESE, WINDOWS, ODD]


def split(data: bytes, chance: random.Random) -> list[bytes]:
    """Into pieces of random sizes, from single bytes to most of it at once."""
    largest = chance.choice([1, 2, 7, 60, 1_000, 100_000])
    if len(data) > 20_000:  # single bytes of a long text would only take long
        largest = max(largest, 1_000)
    pieces = []
    while data:
        size = chance.randint(1, largest)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def framed(framing: str) -> tuple[Callable[[int], bytes], Callable[[bytes], bytes], bytes]:
    """Three ways to say where a body ends: its head for a length, how a piece is written, what comes last."""
    start = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    if framing == "chunked":
        return lambda _: start + b"transfer-encoding: chunked\r\n\r\n", chunk, chunk(b"")
    if framing == "length":
        return lambda size: start + b"content-length: %d\r\n\r\n" % size, bytes, b""
    return lambda _: start + b"connection: close\r\n\r\n", bytes, b""


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
async def test_any_chunking_gives_the_same_bytes(
    faulty: Faulty, client: httpx.AsyncClient, framing: str, acceptance: bool
) -> None:
    head, piece_of, end = framed(framing)

    async def answer(request: Request, writer: Writer) -> None:
        number = int(request.header("x-number"))
        chance, data = random.Random(number), b"".join(SAMPLES[number % len(SAMPLES)])
        writer.write(head(len(data)))
        for piece in split(data, chance):
            writer.write(piece_of(piece))
            if chance.random() < 0.3:
                await asyncio.sleep(0)
                await writer.drain()
        writer.write(end)
        await writer.drain()
        if framing == "close":
            writer.close()

    async def ask(number: int) -> tuple[bytes, bytes, str]:
        request = client.stream("POST", "/v1/messages", json=body(stream=True), headers={"x-number": str(number)})
        async with request as got:
            content = b"".join([piece async for piece in got.aiter_raw()])
        return content, b"".join(SAMPLES[number % len(SAMPLES)]), got.headers["request-id"]

    async with faulty.raw.answering(answer):
        asked = await asyncio.gather(*(ask(number) for number in range(300 if acceptance else 45)))

    assert [number for number, (got, sent, _) in enumerate(asked) if got != sent] == []
    for _, _, request_id in asked[:6]:
        row = final_row(faulty.gateway, request_id)
        assert (row["outcome"], row["is_estimated"], row["output_tokens"]) == ("completed", False, 7)


async def test_a_stream_parted_anywhere_gives_the_same_bytes(
    faulty: Faulty, client: httpx.AsyncClient, acceptance: bool
) -> None:
    """Two writes, parted at each byte in turn: in line ends, in names, inside a character."""
    data = b"".join(frames("山\r🏯"))

    async def answer(request: Request, writer: Writer) -> None:
        at = int(request.header("x-number"))
        writer.write(STREAM_HEAD + chunk(data[:at]))
        await asyncio.sleep(0.005)
        writer.write(chunk(data[at:]) + chunk(b""))

    async def ask(at: int) -> bytes:
        answer = await client.post("/v1/messages", json=body(stream=True), headers={"x-number": str(at)})
        return answer.content

    async with faulty.raw.answering(answer):
        everywhere = range(1, len(data), 1 if acceptance else 3)
        for start in range(0, len(everywhere), 64):
            cuts = everywhere[start : start + 64]
            assert [
                at for at, got in zip(cuts, await asyncio.gather(*map(ask, cuts)), strict=True) if got != data
            ] == []


@pytest.mark.parametrize("first", [frames()[0], b"e"], ids=["event", "byte"])
async def test_the_first_byte_waits_for_nothing(faulty: Faulty, client: httpx.AsyncClient, first: bytes) -> None:
    """The upstream says the rest only when the client has the beginning: a byte held back would stop both."""
    has_begun = asyncio.Event()
    data = b"".join(frames("Hello"))

    async def answer(_: Request, writer: Writer) -> None:
        writer.write(STREAM_HEAD + chunk(first))
        await asyncio.wait_for(has_begun.wait(), 2)
        writer.write(chunk(data[len(first) :]) + chunk(b""))

    async with (
        faulty.raw.answering(answer),
        client.stream("POST", "/v1/messages", json=body(stream=True)) as got,
    ):
        pieces = got.aiter_raw()
        beginning = await anext(pieces)
        has_begun.set()
        rest = b"".join([piece async for piece in pieces])

    assert beginning == first
    assert beginning + rest == data


async def test_every_event_arrives_before_the_next_is_sent(faulty: Faulty, client: httpx.AsyncClient) -> None:
    turn = asyncio.Semaphore(1)
    sent = frames(*"Hello")

    async def answer(_: Request, writer: Writer) -> None:
        writer.write(STREAM_HEAD)
        for each in sent:
            await asyncio.wait_for(turn.acquire(), 2)
            writer.write(chunk(each))
        writer.write(chunk(b""))

    got = []
    async with (
        faulty.raw.answering(answer),
        client.stream("POST", "/v1/messages", json=body(stream=True)) as stream,
    ):
        async for piece in stream.aiter_raw():
            got.append(piece)
            turn.release()

    assert got == sent


async def test_a_json_answer_is_theirs_byte_for_byte(faulty: Faulty, client: httpx.AsyncClient) -> None:
    content = b'{ "usage" : {"input_tokens":3, "output_tokens":4},\n\t"new": [1.50, 1e3, "\\u00e9\xc3\xa9"] }\n'

    async with faulty.raw.answering(
        always(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
            + b"".join(chunk(content[at : at + 1]) for at in range(len(content)))
            + chunk(b"")
        )
    ):
        answer = await client.post("/v1/messages", json=body())

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert answer.content == content
    assert (row["uncached_input_tokens"], row["output_tokens"], row["is_estimated"]) == (3, 4, False)


async def test_a_silent_upstream_is_covered_by_whole_pings(faulty: Faulty, client: httpx.AsyncClient) -> None:
    sent = frames("山", "🏯")

    async def answer(_: Request, writer: Writer) -> None:
        writer.write(STREAM_HEAD + chunk(b"".join(sent[:3])))
        await asyncio.sleep(1.8)
        writer.write(chunk(b"".join(sent[3:])) + chunk(b""))

    async with faulty.raw.answering(answer):
        got = (await client.post("/v1/messages", json=body(stream=True))).content

    pings = got.count(PING)
    assert 1 <= pings <= 4
    assert got == b"".join(sent[:3]) + PING * pings + b"".join(sent[3:])


async def test_silence_inside_a_frame_gets_no_ping(faulty: Faulty, client: httpx.AsyncClient) -> None:
    data = b"".join(frames("Hello"))

    async def answer(_: Request, writer: Writer) -> None:
        writer.write(STREAM_HEAD + chunk(data[:200]))
        await asyncio.sleep(1.3)
        writer.write(chunk(data[200:]) + chunk(b""))

    async with faulty.raw.answering(answer):
        got = (await client.post("/v1/messages", json=body(stream=True))).content

    assert got == data
