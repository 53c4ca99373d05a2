"""Whatever goes wrong on our own side: a request is counted once, and what it held is given back."""

import time
from pathlib import Path

import pytest

from metering import attempt
from metering.journal import Journal, JournalBroken
from metering.limits.worst import Reach
from metering.pricing import Charge
from metering.records import Begin
from relay import estimate, reading
from relay.errors import ApiError
from relay.query import parse_page
from relay.reading import Reading
from relay.reading_process import BodyReader
from tests.relay.answers import DELTA, MESSAGE, START, STOP, replying, stream
from tests.relay.scripted import answer, upstream
from tests.relay.serving import BODY, STREAM_BODY, Served, head, read_answer, serving


async def ask(served: Served, request: bytes) -> tuple[int, bytes]:
    reader, writer = await served.connect()
    writer.write(request)
    status, _, content = await read_answer(reader)
    writer.close()
    return status, content


async def test_what_cannot_be_written_down_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(journal: Journal, record: Begin) -> None:
        raise JournalBroken("no")

    monkeypatch.setattr(Journal, "begin", refuse)
    async with upstream(replying(answer(MESSAGE))) as url, serving(tmp_path, url) as served:
        status, _ = await ask(served, head(BODY))
        assert await served.settled() == []

        assert (status, served.admission.admitted, served.admission.settled) == (529, 1, 1)
        assert [record.reason for record in served.refusals()] == ["journal_full"]


@pytest.mark.parametrize("body", [BODY, STREAM_BODY], ids=["json", "stream"])
async def test_a_usage_that_cannot_be_priced_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    def stumble(*_: object, **__: object) -> Charge:
        raise ZeroDivisionError

    monkeypatch.setattr(attempt, "price", stumble)
    reply = stream(START, DELTA, STOP) if body is STREAM_BODY else answer(MESSAGE)
    async with upstream(replying(reply)) as url, serving(tmp_path, url) as served:
        status, _ = await ask(served, head(body))
        (end,) = await served.settled()

    assert (status, end.outcome, end.charge.is_unpriced) == (200, "completed", True)
    assert end.usage is not None
    assert "output_tokens" in end.usage


async def test_our_mistake_before_anything_was_sent_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stumble(*_: object) -> Reading:
        raise ZeroDivisionError

    monkeypatch.setattr(BodyReader, "read", stumble)
    async with upstream(replying(answer(MESSAGE))) as url, serving(tmp_path, url) as served:
        status, _ = await ask(served, head(BODY))
        await served.settled()

        assert status == 500
        assert [(record.status, record.reason) for record in served.refusals()] == [(500, "internal")]


async def test_a_clock_that_is_set_changes_no_duration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with upstream(replying(answer(MESSAGE))) as url, serving(tmp_path, url) as served:
        real = time.time_ns
        calls = iter([3_600_000_000_000, -3_600_000_000_000] * 100)
        monkeypatch.setattr(time, "time_ns", lambda: real() + next(calls))
        await ask(served, head(BODY))
        (end,) = await served.settled()

    assert end.duration_us is not None
    assert 0 < end.duration_us < 5_000_000


@pytest.mark.parametrize("retries", [b"9" * 5_000, b"-1", b"1_0", b"", "²".encode()])
async def test_an_absurd_retry_count_is_none(tmp_path: Path, retries: bytes) -> None:
    async with upstream(replying(answer(MESSAGE))) as url, serving(tmp_path, url) as served:
        status, _ = await ask(served, head(BODY, b"x-stainless-retry-count: " + retries))
        await served.settled()
        (begin,) = [record for record in served.records() if isinstance(record, Begin)]

    assert (status, begin.client_retry_count) == (200, 0)


def test_an_absurd_page_is_refused() -> None:
    with pytest.raises(ApiError, match="limit: Input should be a valid integer"):
        parse_page("limit=" + "9" * 5_000)


def test_nobody_makes_us_remember_a_long_name() -> None:
    with pytest.raises(ApiError, match="model: String should have at most 256 characters"):
        reading.read(BODY.replace(b"claude-sonnet-4-6", b"claude-" + b"x" * 250))


def test_an_image_is_not_estimated_as_text() -> None:
    size = 20_000_000
    body = Reading("claude-sonnet-4-5", is_stream=False, max_tokens=1, size=size, reach=Reach(size, max_tokens=1))

    assert estimate.input_tokens(body) <= 1_000_000
