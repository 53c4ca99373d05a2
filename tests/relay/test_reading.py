"""What we read from a body is what the upstream will read, or the body is refused."""

import asyncio
import io
import json
import signal
import time

import pytest

from relay import reading
from relay.errors import ApiError
from relay.reading_helper import LENGTH_BYTES, serve
from relay.reading_process import BodyReader

GOOD = b'{"model":"claude-opus-5-5","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'
TINY_OBJECTS = GOOD.replace(b"[", b"[" + b"{}," * 1_200_000)


def refusal(body: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        reading.read(body)
    assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")
    return caught.value


def test_the_fields_that_we_act_on() -> None:
    read = reading.read(GOOD)

    assert (read.model, read.max_tokens, read.is_stream, read.size) == ("claude-opus-5-5", 5, False, len(GOOD))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"max_tokens":5,"messages":[1]}', "model: Field required"),
        (b'{"model":"m","messages":[1]}', "max_tokens: Field required"),
        (b'{"model":"m","max_tokens":5}', "messages: Field required"),
        (b'{"model":"m","max_tokens":"5","messages":[1]}', "max_tokens: Input should be a valid integer"),
        (b'{"model":"m","max_tokens":true,"messages":[1]}', "max_tokens: Input should be a valid integer"),
        (b'{"model":"m","max_tokens":5.5,"messages":[1]}', "max_tokens: Input should be a valid integer"),
        (b'{"model":7,"max_tokens":5,"messages":[1]}', "model: Input should be a valid string"),
        (b'{"model":"m","max_tokens":5,"messages":"hi"}', "messages: Input should be a valid list"),
        (b'{"model":"m","max_tokens":5,"messages":[]}', "messages: at least one message is required"),
        (b'{"model":"m","max_tokens":5,"messages":[1],"stream":1}', "stream: Input should be a valid boolean"),
    ],
)
def test_a_missing_or_wrong_field_is_named_as_the_api_names_it(body: bytes, message: str) -> None:
    assert refusal(body).message == message


def test_bad_json_says_where() -> None:
    assert refusal(b'{"model": nope}').message.startswith("The request body is not valid JSON: ")
    assert refusal(b'{\n "model": nope}').message.endswith(": line 2 column 12 (char 13)")


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"claude-haiku-4-5","model":"claude-opus-5-5","max_tokens":5,"messages":[1]}',
        b'{"model":"claude-haiku-4-5","\\u006dodel":"claude-opus-5-5","max_tokens":5,"messages":[1]}',
        b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"a","content":"b"}]}',
        b'{"model":"m","max_tokens":NaN,"messages":[1]}',
        b'{"model":"m\xff","max_tokens":5,"messages":[1]}',
        b"\xef\xbb\xbf" + GOOD,
        GOOD + b"{}",
        b"[" * 5_000 + b"]" * 5_000,
        b"[]",
        b"",
    ],
)
def test_what_two_parsers_might_read_differently_is_refused(body: bytes) -> None:
    refusal(body)


async def test_a_large_body_is_read_in_another_process_with_the_same_result() -> None:
    reader = BodyReader()
    large = GOOD.replace(b'"hi"', b'"' + b"x" * 1_200_000 + b'"')
    try:
        assert await reader.read(large) == reading.read(large)
        with pytest.raises(ApiError, match="max_tokens: Field required"):
            await reader.read(large.replace(b'"max_tokens":5,', b""))
    finally:
        reader.close()


def large(size: int = 300_000) -> bytes:
    return GOOD.replace(b'"hi"', b'"' + b"x" * size + b'"')


async def test_large_bodies_of_many_requests_are_each_read_as_their_own() -> None:
    reader = BodyReader()
    bodies = [large(300_000 + number).replace(b"opus", b"%03d" % number) for number in range(20)]
    try:
        found = await asyncio.gather(*map(reader.read, bodies))
    finally:
        reader.close()

    assert [read.model for read in found] == [f"claude-{number:03d}-5-5" for number in range(20)]
    assert [read.size for read in found] == [len(body) for body in bodies]


async def test_a_helper_that_was_killed_is_replaced() -> None:
    reader = BodyReader()
    try:
        await reader.read(large())
        waiting = asyncio.create_task(reader.read(TINY_OBJECTS))
        await asyncio.sleep(0.02)  # it needs some 150 ms at the fastest
        helper = reader._large._helper
        assert helper is not None
        helper.kill()
        with pytest.raises(ApiError) as caught:
            await waiting
        assert (caught.value.status, caught.value.reason) == (529, "body_reader_died")
        assert (await reader.read(large())).model == "claude-opus-5-5"
    finally:
        reader.close()


async def test_a_helper_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.reading_process.READ_SECONDS", 0.5)
    reader = BodyReader()
    try:
        await reader.read(large())
        helper = reader._large._helper
        assert helper is not None
        helper._process.send_signal(signal.SIGSTOP)
        refused = await asyncio.gather(reader.read(large()), reader.read(large()), return_exceptions=True)
    finally:
        reader.close()

    assert isinstance(refused[0], ApiError)
    assert (refused[0].status, refused[0].reason) == (529, "body_reader_died")
    assert not isinstance(refused[1], BaseException)  # by another helper


async def test_the_event_loop_runs_on_while_a_body_is_read() -> None:
    reader = BodyReader()
    longest = 0.0

    async def look() -> None:
        nonlocal longest
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - started)

    try:
        await reader.read(large())
        looking = asyncio.create_task(look())
        await asyncio.gather(reader.read(large(31_000_000)), reader.read(TINY_OBJECTS))
        looking.cancel()
    finally:
        reader.close()

    assert longest < 0.2  # a busy machine gets some of it; a body of this kind takes longer


def test_a_number_beyond_64_bits_crosses_whole() -> None:
    sink = io.BytesIO()
    body = GOOD.replace(b":5,", b":" + b"9" * 40 + b",")

    serve(io.BytesIO(len(body).to_bytes(LENGTH_BYTES, "big") + body), sink)

    assert json.loads(sink.getvalue())[2] == int("9" * 40)
