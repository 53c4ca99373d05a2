"""What reaches the client of an answer, and what END says of it, when the end is not as it should be."""

import asyncio
from pathlib import Path

import pytest

from metering.records import End
from relay.tally import StreamTally
from relay.transport import Timeouts
from tests.relay.answers import DELTA, MESSAGE, START, STOP, STREAM_HEAD, beginning, chunk, replying, stream
from tests.relay.scripted import answer, read_request, upstream
from tests.relay.serving import BODY, STREAM_BODY, Served, head, read_answer, serving

QUICK = Timeouts(connect=2, first_byte=2, idle=1.5, silence=0.3)


async def ask(served: Served, body: bytes) -> bytes:
    """The content of a good answer."""
    reader, writer = await served.connect()
    writer.write(head(body))
    status, _, content = await read_answer(reader)
    writer.close()
    assert status == 200
    return content


async def end_of(served: Served) -> End:
    (end,) = await served.settled()
    return end


async def test_nothing_follows_the_end_of_a_message_while_the_upstream_lingers(tmp_path: Path) -> None:
    whole = START + DELTA + STOP
    async with upstream(beginning(STREAM_HEAD + chunk(whole))) as url, serving(tmp_path, url, timeouts=QUICK) as served:
        assert await ask(served, STREAM_BODY) == whole
        end = await end_of(served)

    assert (end.outcome, end.is_estimated, end.charge.output_tokens) == ("completed", False, 15)


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (STOP, None),
        (START.replace(b"}}}", b"") + DELTA + STOP, {"output_tokens": 15}),
        (START.replace(b'"usage"', b'"other"') + STOP, None),
    ],
    ids=["nothing", "a broken start", "no usage"],
)
async def test_a_stream_that_never_said_what_it_used_is_no_exact_row(
    tmp_path: Path, told: bytes, usage: object
) -> None:
    async with upstream(replying(stream(told))) as url, serving(tmp_path, url) as served:
        assert await ask(served, STREAM_BODY) == told
        end = await end_of(served)

    assert (end.outcome, end.is_estimated, end.usage) == ("completed", True, usage)


async def test_a_stream_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    whole = b"\xef\xbb\xbf" + START + DELTA + STOP
    async with upstream(replying(stream(whole))) as url, serving(tmp_path, url) as served:
        assert await ask(served, STREAM_BODY) == whole
        end = await end_of(served)

    assert (end.is_estimated, end.charge.uncached_input_tokens) == (False, 25)


async def test_an_error_that_was_cut_itself_is_told_once_more(tmp_path: Path) -> None:
    """Clients pass over a frame without its blank line."""
    cut = START + b'event: error\ndata: {"type":"error","error":{"type":"overl'
    async with upstream(replying(stream(cut))) as url, serving(tmp_path, url) as served:
        content = await ask(served, STREAM_BODY)
        end = await end_of(served)

    assert content.startswith(cut)
    assert content.count(b"\n\nevent: error\n") == 2
    assert (end.outcome, end.reason, end.error_type) == ("upstream_error", "cut", "api_error")


async def test_an_error_without_a_type_is_still_the_end(tmp_path: Path) -> None:
    told = START + b'event: error\ndata: {"type":"error","error":{}}\n\n'
    async with upstream(replying(stream(told))) as url, serving(tmp_path, url) as served:
        assert await ask(served, STREAM_BODY) == told
        end = await end_of(served)

    assert (end.outcome, end.error_type) == ("upstream_error", "api_error")


async def test_an_upstream_that_packs_its_stream_says_so(tmp_path: Path) -> None:
    packed = stream(b"\x1f\x8b...").replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n", 1)
    async with upstream(replying(packed)) as url, serving(tmp_path, url) as served:
        reader, writer = await served.connect()
        writer.write(head(STREAM_BODY))
        _, start, content = await read_answer(reader)
        writer.close()

    assert b"content-encoding: gzip\r\n" in start
    assert content.startswith(b"\x1f\x8b...")


async def test_a_second_answer_is_not_added_to_the_first(tmp_path: Path) -> None:
    async with upstream(replying(answer(MESSAGE) * 2)) as url, serving(tmp_path, url) as served:
        for _ in range(3):
            assert await ask(served, BODY) == MESSAGE
        ends = await served.settled()

    assert [(end.outcome, end.charge.output_tokens) for end in ends] == [("completed", 4)] * 3


async def test_a_mistake_of_ours_ends_a_stream_with_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(tally: StreamTally, piece: bytes) -> None:
        if b"message_delta" in piece:
            raise ZeroDivisionError
        feed(tally, piece)

    feed = StreamTally.feed
    monkeypatch.setattr(StreamTally, "feed", stumble)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(STREAM_HEAD + chunk(START))
        await asyncio.sleep(0.05)
        writer.write(chunk(DELTA + STOP) + chunk(b""))

    async with upstream(script) as url, serving(tmp_path, url) as served:
        content = await ask(served, STREAM_BODY)
        end = await end_of(served)

    assert content.startswith(START + DELTA + STOP + b"event: error\n")
    assert (end.outcome, end.reason, end.charge.uncached_input_tokens) == ("interrupted", "internal", 25)


def test_a_frame_without_end_takes_no_memory_without_end() -> None:
    tally = StreamTally()
    tally.feed(START)
    for _ in range(40):
        tally.feed(b"data: " + b"x" * (1 << 20))
        assert len(tally._frames._pending) <= (17 << 20)
    tally.feed(b"\n\n" + DELTA + STOP)

    assert (tally.is_known, tally.usage["output_tokens"]) == (True, 15)


async def test_a_message_that_comes_with_too_few_bytes_is_cut_and_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All of the message is there; what is missing may have been white space, but the client waits for it."""
    short = answer(MESSAGE + b"          ")[:-5]

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(short)

    async with upstream(script) as url, serving(tmp_path, url) as served:
        reader, writer = await served.connect()
        writer.write(head(BODY))
        assert (await reader.read()).endswith(MESSAGE + b"     ")
        writer.close()
        end = await end_of(served)

    assert (end.outcome, end.reason, end.is_estimated, end.charge.output_tokens) == ("upstream_error", "cut", False, 4)
    assert "Traceback" not in caplog.text
