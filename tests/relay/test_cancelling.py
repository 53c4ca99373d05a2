"""A request that is cancelled at any step, or whose client leaves at any step, is settled once and holds nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.call import Message
from relay.transport import Timeouts
from tests.relay.answers import DELTA, MESSAGE, START, STOP, STREAM_HEAD, TEXT, chunk
from tests.relay.scripted import answer, read_request, upstream
from tests.relay.serving import BODY, STREAM_BODY, Served, serving

FRAMES = [START, TEXT % b"Hello", TEXT % b"there", DELTA, STOP]
WHOLE = b"".join(FRAMES)
STEPS = range(1, 61)


@dataclass
class Client:
    """Speaks to the relay as a server does: it writes when the client can take more, or not at all."""

    pieces: list[bytes]
    is_slow: bool = False
    leaves_after: int | None = None
    """Pieces of the answer after which the client is gone."""
    status: int = 0
    content: bytes = b""
    has_end: bool = False
    _sent: int = 0
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        await asyncio.sleep(0)
        if self.pieces:
            piece = self.pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.is_slow:
            for _ in range(3):
                await asyncio.sleep(0)
        if self._gone.is_set():
            return
        assert not self.has_end, "spoke after the end"
        if message["type"] == "http.response.start":
            assert not self.status, "a second head"
            self.status = message["status"]
            return
        assert self.status, "a body before its head"
        self.content += message["body"]
        self.has_end = not message["more_body"]
        self._sent += 1
        if self._sent == self.leaves_after:
            self._gone.set()


def scope() -> dict[str, object]:
    headers = [(b"x-api-key", b"key"), (b"anthropic-version", b"2023-06-01"), (b"transfer-encoding", b"chunked")]
    return {"type": "http", "method": "POST", "path": "/v1/messages", "headers": headers, "client": ("127.0.0.1", 1)}


async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A stream event by event, or a message in two halves."""
    while True:
        request = await read_request(reader)
        await asyncio.sleep(0.001)
        if b'"stream":true' in request:
            writer.write(STREAM_HEAD)
            for frame in FRAMES:
                writer.write(chunk(frame))
                await asyncio.sleep(0.001)
            writer.write(chunk(b""))
        else:
            whole = answer(MESSAGE)
            writer.write(whole[:-50])
            await asyncio.sleep(0.001)
            writer.write(whole[-50:])


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    quick = Timeouts(connect=2, first_byte=2, idle=2)
    async with upstream(speak) as url, serving(tmp_path, url, timeouts=quick) as served:
        yield served


def check(client: Client, *, stream: bool) -> None:
    """What the client saw is a beginning of the answer, and a stream that ended told how."""
    if client.status != 200:
        assert client.status in {0, 503}
        return
    ours = re.split(rb"event: (?:error|ping)\n", client.content, maxsplit=1)[0] if stream else client.content
    assert (WHOLE if stream else MESSAGE).startswith(ours.rstrip(b"\n"))
    assert client.content.count(b"event: error") <= 1
    if stream and client.has_end:
        assert client.content == WHOLE or (b"event: error" in client.content and STOP not in client.content)


@pytest.mark.parametrize("is_slow", [False, True], ids=["quick", "slow"])
@pytest.mark.parametrize("body", [BODY, STREAM_BODY], ids=["json", "stream"])
async def test_cancelled_after_any_number_of_steps(served: Served, body: bytes, is_slow: bool) -> None:
    for steps in STEPS:
        client = Client([body[:20], body[20:]], is_slow=is_slow)
        task = asyncio.ensure_future(served.relay(scope(), client.receive, client.send))
        for _ in range(steps):
            await asyncio.sleep(0 if steps % 2 else 0.0005)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.done()
        check(client, stream=body is STREAM_BODY)
    assert len(await _counted(served)) == len(STEPS)


@pytest.mark.parametrize("leaves_after", range(1, 7))
@pytest.mark.parametrize("body", [BODY, STREAM_BODY], ids=["json", "stream"])
async def test_the_client_leaves_after_any_piece(
    served: Served, body: bytes, leaves_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.client.WATCH_AFTER_SECONDS", 0.0)
    client = Client([body], leaves_after=leaves_after)

    await served.relay(scope(), client.receive, client.send)

    check(client, stream=body is STREAM_BODY)
    (end,) = await served.settled()
    assert end.outcome in {"completed", "client_closed"}
    assert (end.is_estimated, end.charge.output_tokens) == (False, 15 if body is STREAM_BODY else 4)


@pytest.mark.parametrize("steps", [0, 1, 2, 4, 8, 16, 24, 32])
@pytest.mark.parametrize("body", [BODY, STREAM_BODY], ids=["json", "stream"])
async def test_the_client_is_given_up_at_any_step(
    served: Served, body: bytes, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No drain is allowed, so leaving ends the request at once."""
    monkeypatch.setattr("relay.client.WATCH_AFTER_SECONDS", 0.0)
    monkeypatch.setattr("relay.client.Drains.enter", lambda _: False)
    client = Client([body])
    task = asyncio.ensure_future(served.relay(scope(), client.receive, client.send))
    for _ in range(steps):
        await asyncio.sleep(0.0005)
    client._gone.set()

    await asyncio.wait([task], timeout=5)

    assert task.done()
    assert len(await _counted(served)) == 1


async def _counted(served: Served) -> set[str]:
    """The requests that have a final row, each of them one, once everything is given back."""
    ends = await served.settled()
    refused = [record.request_id for record in served.refusals()]
    ids = [end.request_id for end in ends] + refused
    assert len(set(ids)) == len(ids)
    return set(ids)
