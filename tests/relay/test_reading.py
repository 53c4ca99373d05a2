"""What we read from a body is what the upstream will read, or the body is refused."""

import pytest

from relay import reading
from relay.errors import ApiError
from relay.reading_process import BodyReader

GOOD = b'{"model":"claude-opus-5-5","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'


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
