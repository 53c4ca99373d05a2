"""The upstream client against servers that behave, and servers that do not."""

import asyncio
import gc
import socket
import weakref

import httpx
import pytest

from relay.transport import Answer, Timeouts, Transport
from relay.transport_errors import (
    AnswerCut,
    ConnectFailed,
    FirstByteTimedOut,
    IdleTimedOut,
    StaleConnection,
    TransportError,
)
from relay.upstreams.base import described
from tests.relay.scripted import answer, read_request, upstream

QUICK = Timeouts(connect=2, first_byte=5, idle=5)


def post(base_url: str, body: bytes = b"{}") -> httpx.Request:
    return described(httpx.URL(base_url + "/v1/messages"), [], body)


async def read(got: Answer) -> bytes:
    pieces = []
    while (piece := await got.piece()) is not None:
        pieces.append(piece)
    return b"".join(pieces)


async def test_one_connection_serves_one_request_after_the_other() -> None:
    connections = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while True:
            request = await read_request(reader)
            writer.write(answer(request[-2:]))

    async with upstream(script) as base_url:
        transport = Transport()
        for body in (b"ab", b"cd", b"ef"):
            got = await transport.send(post(base_url, body), QUICK)
            assert (got.status, await read(got)) == (200, body)
        await transport.aclose()

    assert len(connections) == 1


async def test_chunks_are_handed_on_as_they_come() -> None:
    go_on = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await go_on.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

    async with upstream(script) as base_url:
        got = await Transport().send(post(base_url), QUICK)
        assert await got.piece() == b"one"
        go_on.set()
        assert await got.piece() == b"two"
        assert await got.piece() is None


async def test_a_body_that_ends_with_its_connection_is_whole() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    async with upstream(script) as base_url:
        got = await Transport().send(post(base_url), QUICK)
        assert await read(got) == b"all of it"


async def test_an_interim_answer_is_passed_over() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + answer(b"ok"))

    async with upstream(script) as base_url:
        got = await Transport().send(post(base_url), QUICK)
        assert (got.status, await read(got)) == (200, b"ok")
        assert got.headers == [(b"content-length", b"2")]


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
async def test_a_cut_body_is_never_taken_for_a_whole_one(start: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(start)

    async with upstream(script) as base_url:
        got = await Transport().send(post(base_url), QUICK)
        with pytest.raises(AnswerCut):
            await read(got)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 2", b"SSH-2.0-OpenSSH\r\n"])
async def test_no_answer_is_an_error_that_says_the_request_was_sent(start: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(start)

    async with upstream(script) as base_url:
        with pytest.raises(AnswerCut) as caught:
            await Transport().send(post(base_url), QUICK)

    assert caught.value.was_sent


async def test_a_refused_connection_says_that_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectFailed) as caught:
            await Transport().send(post(f"http://127.0.0.1:{unused.getsockname()[1]}"), QUICK)

    assert not caught.value.was_sent


async def test_a_kept_connection_that_was_closed_meanwhile_is_known_as_stale() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(b"ok"))
        await read_request(reader)  # and no answer to the second

    async with upstream(script) as base_url:
        transport = Transport()
        assert await read(await transport.send(post(base_url), QUICK)) == b"ok"
        with pytest.raises(StaleConnection):
            await transport.send(post(base_url), QUICK)
        assert await read(await transport.send(post(base_url), QUICK, on_new_connection=True)) == b"ok"


@pytest.mark.parametrize(
    ("start", "error"), [(b"", FirstByteTimedOut), (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", IdleTimedOut)]
)
async def test_a_silent_upstream_is_given_up(start: bytes, error: type[TransportError]) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(start)
        await asyncio.sleep(10)

    async with upstream(script) as base_url:
        with pytest.raises(error):
            await read(await Transport().send(post(base_url), Timeouts(first_byte=0.3, idle=0.3)))


async def test_a_silent_while_wakes_the_reader_and_harms_nothing() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
        await asyncio.sleep(1)
        writer.write(b"ok")

    async with upstream(script) as base_url:
        got = await Transport().send(post(base_url), Timeouts(silence=0.3))
        pieces = [await got.piece()]
        while not got.is_at_end:
            pieces.append(await got.piece())

    assert pieces[0] == b""
    assert pieces[-1] == b"ok"


async def test_a_slow_reader_makes_the_upstream_wait() -> None:
    written = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n")
        for _ in range(500):
            writer.write(b"x" * 100_000)
            written += 100_000
            await writer.drain()

    async with upstream(script) as base_url:
        got = await Transport().send(post(base_url), QUICK)
        await asyncio.sleep(0.5)
        seen_early = written
        assert len(await read(got)) == 50_000_000

    assert seen_early < 20_000_000  # our buffer and the kernel's


@pytest.mark.parametrize("surplus", [b"xx", answer(b"not yours")])
async def test_bytes_beyond_an_answer_belong_to_nobody(surplus: bytes) -> None:
    """Neither to this request, nor to the next one on the connection, which may be another tenant's."""
    connections = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await read_request(reader)
            writer.write(answer(b"ok") + surplus)

    async with upstream(script) as base_url:
        transport = Transport()
        for _ in range(2):
            got = await transport.send(post(base_url), QUICK)
            assert (got.status, await read(got)) == (200, b"ok")

    assert connections == 2


async def test_what_is_said_on_an_unused_connection_ends_it() -> None:
    """Some servers say 408 before they close one."""
    connections = 0
    speak = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(answer(b"ok"))
        await speak.wait()
        writer.write(answer(b"late", status=b"408 Request Time-out"))
        await reader.read()

    async with upstream(script) as base_url:
        transport = Transport()
        assert await read(await transport.send(post(base_url), QUICK)) == b"ok"
        speak.set()
        await asyncio.sleep(0.05)
        assert await read(await transport.send(post(base_url), QUICK)) == b"ok"

    assert connections == 2


async def test_trailers_are_no_headers() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\ncontent-type: x\r\n\r\n")

    async with upstream(script) as base_url:
        got = await Transport().send(post(base_url), QUICK)
        assert await read(got) == b"ok"

    assert got.headers == [(b"transfer-encoding", b"chunked")]


async def test_an_answer_to_half_a_request_costs_the_connection() -> None:
    """A refusal for size comes early; the rest of that body must not become part of the next request."""
    connections = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"too large", status=b"413 No"))
        await asyncio.sleep(5)

    async with upstream(script) as base_url:
        transport = Transport()
        for _ in range(2):
            got = await transport.send(post(base_url, b"x" * 30_000_000), QUICK)
            assert (got.status, await read(got)) == (413, b"too large")

    assert connections == 2


async def test_connections_that_nobody_needs_any_more_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.transport.IDLE_SECONDS", 0.2)
    closed = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(b"ok"))
        assert await reader.read() == b""
        closed.set()

    async with upstream(script) as base_url:
        transport = Transport()
        assert await read(await transport.send(post(base_url), QUICK)) == b"ok"
        await asyncio.wait_for(closed.wait(), 2)


async def test_a_failed_request_is_not_kept_in_memory() -> None:
    """Not even until the collector of garbage comes by: bodies are large and failures come in bursts."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    gc.disable()
    try:
        async with upstream(script) as base_url:
            request = post(base_url, b"{}")
            watched = weakref.ref(request)
            with pytest.raises(AnswerCut):
                await Transport().send(request, QUICK)
            del request
            await asyncio.sleep(0.05)
            assert watched() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("ends", ["cut", "silent", "cancelled"])
async def test_a_body_that_cannot_be_read_leaves_nothing_behind(ends: str) -> None:
    is_closed = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\nhalf")
        if ends == "cut":
            writer.write_eof()
        await reader.read()
        is_closed.set()

    async with upstream(script) as base_url:
        transport = Transport()
        got = await transport.send(post(base_url), Timeouts(first_byte=2, idle=0.3 if ends == "silent" else 5))
        reading = asyncio.create_task(got.read(1_000))
        if ends == "cancelled":
            await asyncio.sleep(0.05)
            reading.cancel()
        await asyncio.wait([reading])

        await asyncio.wait_for(is_closed.wait(), 2)
        assert reading.cancelled() or isinstance(reading.exception(), TransportError)
        assert not transport._deadlines._busy
