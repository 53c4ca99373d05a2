"""Pace: events come evenly, to many at once."""

import asyncio
import time

import orjson

from tests.simulator.grammar import message_of
from tests.simulator.running import HEADERS, RunningSimulator, hello

STREAMS = 500
EVENTS_PER_SECOND = 10


async def test_500_streams_keep_their_pace_at_once(simulator: RunningSimulator) -> None:
    started = time.monotonic()

    ends = await asyncio.gather(*(_read_stream(simulator, started) for _ in range(STREAMS)))

    seconds = [end for end, _ in ends]
    assert {tokens for _, tokens in ends} == {40}
    assert min(seconds) >= 1.5  # 16 events: 15 pauses
    assert max(seconds) < 8
    assert simulator.client.get("/simulator/ledger").json()["most_in_flight"] >= STREAMS


async def _read_stream(simulator: RunningSimulator, started: float) -> tuple[float, int]:
    host, _, port = simulator.address.removeprefix("http://").partition(":")
    body = orjson.dumps(hello("Slowly", stream=True))
    pace = f"events-per-second={EVENTS_PER_SECOND}; output-tokens=40"
    headers = HEADERS | {"x-tollgate-simulator-pace": pace, "content-length": str(len(body)), "connection": "close"}
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST /v1/messages HTTP/1.1\r\nhost: simulator\r\n{lines}\r\n".encode() + body)
    answer = await reader.read(-1)
    writer.close()
    return time.monotonic() - started, message_of(_unchunked(answer))["usage"]["output_tokens"]


def _unchunked(answer: bytes) -> bytes:
    _, _, rest = answer.partition(b"\r\n\r\n")
    body = b""
    while (size := int(rest.partition(b"\r\n")[0], 16)) > 0:
        start = rest.index(b"\r\n") + 2
        body += rest[start : start + size]
        rest = rest[start + size + 2 :]
    return body
