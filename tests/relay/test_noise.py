"""Clients and upstreams that send what nobody should: whatever it is, each request is settled and nothing is kept."""

import asyncio
import contextlib
import logging
import random
from pathlib import Path

import pytest

from config.http_protocol import Protocol
from relay.transport import Timeouts
from tests.relay.answers import DELTA, MESSAGE, START, STOP, TEXT, chunk, stream
from tests.relay.scripted import Script, answer, read_request, upstream
from tests.relay.serving import BODY, STREAM_BODY, Served, head, serving

ANSWERS = [
    stream(START, TEXT % b"Hello", DELTA, STOP),
    stream(START)[:-40],
    answer(MESSAGE),
    answer(b'{"type":"error","error":{"type":"overloaded_error"}}', status=b"529 Overloaded"),
]
CHUNKED = head(b"", b"transfer-encoding: chunked").replace(b"content-length: 0\r\n", b"") + chunk(BODY) + chunk(b"")
REQUESTS = [head(BODY), head(STREAM_BODY), head(BODY, b"connection: close"), CHUNKED]
INSERTED = [
    b"\r\n",
    b"\n",
    b"\0",
    b"\xff",
    b"HTTP/1.0",
    b"connection: close\r\n",
    b"connection: upgrade\r\nupgrade: h2c\r\n",
    b"transfer-encoding: chunked\r\n",
    b"content-length: 7\r\n",
    b"expect: 100-continue\r\n",
]
QUICK = Timeouts(connect=1, first_byte=0.3, idle=0.3, silence=0.1)


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """With bytes changed, left out, repeated and put in."""
    spoiling = bytearray(data)
    for _ in range(chance.choice([0, 1, 1, 2, 5])):
        at = chance.randrange(len(spoiling))
        match chance.randrange(4):
            case 0:
                spoiling[at] = chance.randrange(256)
            case 1:
                del spoiling[at : at + chance.randrange(1, 40)]
            case 2:
                spoiling[at:at] = spoiling[chance.randrange(len(spoiling)) :][: chance.randrange(60)]
            case _:
                spoiling[at:at] = chance.choice(INSERTED)
    return bytes(spoiling)


def answering(chance: random.Random) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            await read_request(reader)
            data = spoilt(chance.choice(ANSWERS), chance)
            middle = chance.randrange(len(data))
            writer.write(data[:middle])
            await asyncio.sleep(0)
            writer.write(data[middle:])
            if chance.random() < 0.3:
                writer.close()

    return script


async def converse(served: Served, chance: random.Random) -> None:
    """Up to three requests in one go, and then however long the client likes to listen."""
    data = spoilt(b"".join(chance.choices(REQUESTS, k=chance.randrange(1, 4))), chance)
    middle = chance.randrange(len(data))
    reader, writer = await served.connect()
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(data[:middle])
        await asyncio.sleep(chance.choice([0, 0.002]))
        writer.write(data[middle:])
        while await asyncio.wait_for(reader.read(65_536), chance.choice([0.01, 0.1, 0.4])):
            pass
    writer.transport.abort()


async def test_noise_on_both_ends(
    tmp_path: Path, acceptance: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("relay.client.WATCH_AFTER_SECONDS", 0.05)
    caplog.set_level(logging.ERROR)
    chance = random.Random(20_261_121)
    async with (
        upstream(answering(chance)) as url,
        serving(tmp_path, url, timeouts=QUICK, http=Protocol) as served,
    ):
        for _ in range(200 if acceptance else 12):
            await asyncio.gather(*(converse(served, chance) for _ in range(25)))
        ends = await served.settled(15)

    assert {end.outcome for end in ends} >= {"completed", "upstream_error", "client_closed"}
    assert [record.getMessage() for record in caplog.records if record.name.startswith("tollgate.relay")] == []
