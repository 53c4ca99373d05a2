"""What the worker's server makes of requests that bend the rules of HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.http_protocol import LARGEST_HEAD_BYTES, Protocol
from tests.relay.answers import DELTA, MESSAGE, START, STOP, STREAM_HEAD, chunk, replying, stream
from tests.relay.scripted import answer, read_request, upstream
from tests.relay.serving import BODY, STREAM_BODY, Served, head, read_answer, serving

GOOD = head(BODY)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with upstream(replying(answer(MESSAGE))) as url, serving(tmp_path, url, http=Protocol) as served:
        yield served


async def ask(served: Served, *requests: bytes) -> list[tuple[int, bytes]]:
    """All of them on one connection, one after the other; (status, body) of each answer."""
    reader, writer = await served.connect()
    got = []
    for request in requests:
        writer.write(request)
        status, _, body = await read_answer(reader)
        got.append((status, body))
    writer.close()
    return got


@pytest.mark.parametrize("token", [b"h2c", b"websocket", b"TLS/1.0"])
async def test_an_offer_of_another_protocol_is_declined(served: Served, token: bytes) -> None:
    """JDK's HttpClient offers HTTP/2 with every request to an http:// address."""
    offer = head(BODY, b"connection: Upgrade, HTTP2-Settings", b"http2-settings: AAEAAEAA", b"upgrade: " + token)

    assert await ask(served, GOOD, offer, offer, GOOD) == [(200, MESSAGE)] * 4
    await served.settled()


async def test_an_offer_with_a_chunked_body_is_declined(served: Served) -> None:
    offer = head(b"", b"transfer-encoding: chunked", b"connection: upgrade", b"upgrade: h2c")
    offer = offer.replace(b"content-length: 0\r\n", b"") + chunk(BODY[:10])
    reader, writer = await served.connect()

    writer.write(offer)
    await asyncio.sleep(0.05)
    writer.write(chunk(BODY[10:]) + chunk(b""))

    status, _, body = await read_answer(reader)
    writer.close()
    assert (status, body) == (200, MESSAGE)


async def test_nobody_is_connected_through_us(served: Served) -> None:
    ((status, body),) = await ask(served, b"CONNECT elsewhere.test:443 HTTP/1.1\r\nhost: x\r\n\r\n")

    assert (status, json.loads(body)["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("trailer", [b"x-api-key: other", b"anthropic-version: 1", b"x-forwarded-for: 10.0.0.1"])
async def test_trailers_change_nothing(served: Served, trailer: bytes) -> None:
    start = head(b"", b"transfer-encoding: chunked").replace(b"content-length: 0\r\n", b"")
    request = start + chunk(BODY) + b"0\r\n" + trailer + b"\r\n\r\n"

    assert await ask(served, request, GOOD) == [(200, MESSAGE)] * 2


@pytest.mark.parametrize("start", [b"GET /v1/", b"GET / HTTP/1.1\r\nx-long: ", b"GET / HTTP/1.1\r\n"])
async def test_a_head_without_end_is_refused(served: Served, start: bytes) -> None:
    reader, writer = await served.connect()
    writer.write(start)
    sent = 0
    piece = b"a" * 10_000 if not start.endswith(b"1\r\n") else b"x: y\r\n" * 1_000
    while sent <= LARGEST_HEAD_BYTES:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.001)
        sent += len(piece)

    status, _, body = await read_answer(reader)
    assert (status, json.loads(body)["type"]) == (431, "error")
    assert await reader.read() == b""


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nhost:"])
async def test_nobody_keeps_us_waiting_for_a_head(
    served: Served, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.http_protocol.HEAD_SECONDS", 0.3)
    reader, writer = await served.connect()
    writer.write(start)
    await asyncio.sleep(0.2)
    writer.write(b" x" if start else b"G")
    await asyncio.sleep(0.2)

    if start:
        assert await asyncio.wait_for(reader.read(), 0.2) == b""
    else:
        writer.write(GOOD[1:].replace(b"OST", b"ET", 1))
        assert (await read_answer(reader))[0] == 405
    writer.close()


async def test_headers_without_number_are_refused(served: Served) -> None:
    """Joining them would stop the event loop: the time grows with the square of their number."""
    many = head(BODY, *[b"x-many: 1"] * 20_000)

    ((status, body),) = await ask(served, many)

    assert (status, json.loads(body)["error"]["type"]) == (431, "invalid_request_error")


async def test_a_large_head_that_ends_is_no_burden_to_the_next(served: Served) -> None:
    large = head(BODY, b"x-large: " + b"a" * 40_000)

    assert await ask(served, large, large, large) == [(200, MESSAGE)] * 3


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        GOOD.replace(b"host:", b"content-length: 5\r\nhost:"),
        GOOD.replace(b"host:", b"transfer-encoding: chunked\r\nhost:"),
    ],
)
async def test_what_is_not_http_is_refused_in_our_words(served: Served, request_: bytes) -> None:
    ((status, body),) = await ask(served, request_)

    told = json.loads(body)
    assert (status, told["error"]["type"]) == (400, "invalid_request_error")
    assert told["request_id"].startswith("req_")


async def test_a_connection_that_says_nothing_is_closed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.http_protocol.HEAD_SECONDS", 0.2)
    reader, writer = await served.connect()

    assert await asyncio.wait_for(reader.read(), 1) == b""
    writer.close()


async def test_a_client_with_a_second_request_in_line_may_leave_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.client.WATCH_AFTER_SECONDS", 0.05)
    monkeypatch.setattr("relay.client.DRAIN_SECONDS", 0.2)
    has_gone = asyncio.Event()

    async def for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(STREAM_HEAD + chunk(START))
        await reader.read()
        has_gone.set()

    async with upstream(for_ever) as url, serving(tmp_path, url, http=Protocol) as served:
        reader, writer = await served.connect()
        writer.write(head(STREAM_BODY) + GOOD)
        await reader.readuntil(b"message_start")
        await asyncio.sleep(0.1)
        writer.transport.abort()

        await asyncio.wait_for(has_gone.wait(), 2)
        (end,) = await served.settled()

    assert (end.outcome, end.is_estimated) == ("client_closed", True)


async def test_noise_behind_a_request_does_not_get_into_its_answer(tmp_path: Path) -> None:
    whole = stream(START, DELTA, STOP)

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(whole[:-100])
        await asyncio.sleep(0.3)
        writer.write(whole[-100:])

    async with upstream(slowly) as url, serving(tmp_path, url, http=Protocol) as served:
        reader, writer = await served.connect()
        writer.write(head(STREAM_BODY))
        await asyncio.sleep(0.1)
        writer.write(b"\x00 noise")
        got = await reader.read()
        writer.close()

    assert b"Invalid HTTP" not in got
