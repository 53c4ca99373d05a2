"""What an answer says of itself, read from beside it."""

import pytest

from relay.tally import JsonTally, StreamTally

START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"claude-opus-5-5",'
    b'"usage":{"input_tokens":25,"cache_creation":{"ephemeral_5m_input_tokens":7,"ephemeral_1h_input_tokens":0},'
    b'"cache_creation_input_tokens":7,"output_tokens":1,"service_tier":"standard"}}}\n\n'
)
TEXT = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"%s"}}\n\n'
)
DELTA = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
    b'"usage":{"input_tokens":40,"output_tokens":15}}\n\n'
)
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def read(*pieces: bytes) -> StreamTally:
    tally = StreamTally()
    for piece in pieces:
        tally.feed(piece)
    tally.finish()
    return tally


def test_usage_is_cumulative_and_the_start_keeps_what_only_it_says() -> None:
    tally = read(START, TEXT % b"Hello", DELTA, STOP)

    assert tally.usage["input_tokens"] == 40
    assert tally.usage["output_tokens"] == 15
    assert tally.usage["cache_creation"] == {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 0}
    assert tally.usage["service_tier"] == "standard"
    assert (tally.model, tally.message_id, tally.stop_reason) == ("claude-opus-5-5", "msg_1", "end_turn")
    assert tally.is_complete


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_the_size_of_the_pieces_changes_nothing(size: int) -> None:
    stream = START + TEXT % b"Hello" + DELTA + STOP
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]

    cut, whole = read(*pieces), read(stream)

    assert (cut.usage, cut.model, cut.is_complete) == (whole.usage, whole.model, whole.is_complete)


def test_a_stream_without_its_stop_is_not_complete_and_its_text_is_measured() -> None:
    tally = read(START, *[TEXT % (b"abcd" * 25)] * 10)

    assert not tally.is_complete
    assert 200 <= tally.output_estimate <= 300  # 1,000 characters


def test_only_deltas_are_measured_whatever_they_came_with() -> None:
    result = b'event: content_block_start\ndata: {"type":"content_block_start","content_block":"%s"}\n\n' % (
        b"x" * 9_000
    )
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    texts = TEXT % (b"abcd" * 25) * 10

    together, apart = read(START + result + texts + ping), read(START, result, texts, ping)

    assert 200 <= together.output_estimate <= 300  # 1,000 characters
    assert 200 <= apart.output_estimate <= 300
    assert read(START, ping * 10, result).output_estimate == 0


def test_text_that_speaks_of_errors_and_messages_is_only_text() -> None:
    tally = read(START, TEXT % b'error message_stop \\"fallback\\"', DELTA)

    assert tally.error_type == ""
    assert not tally.is_complete


def test_an_error_event_names_its_type() -> None:
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'

    assert read(START, error).error_type == "overloaded_error"


def test_a_fallback_names_the_model_that_went_on() -> None:
    block = (
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":'
        b'{"type":"fallback","from":{"model":"claude-opus-5-5"},"to":{"model":"claude-sonnet-5-5"}}}\n\n'
    )

    assert read(START, block, DELTA, STOP).model == "claude-sonnet-5-5"


def test_broken_json_in_an_event_is_passed_over() -> None:
    tally = read(START, b"event: message_delta\ndata: {broken\n\n", STOP)

    assert tally.usage["input_tokens"] == 25
    assert tally.is_complete


def test_a_json_answer_is_read_when_it_is_all_there() -> None:
    tally = JsonTally()
    tally.feed(b'{"type":"message","id":"msg_2","model":"m","stop_reason":"max_tokens",')
    tally.feed(b'"usage":{"input_tokens":3,"output_tokens":4}}')
    tally.finish()

    assert (tally.usage, tally.stop_reason, tally.is_complete) == (
        {"input_tokens": 3, "output_tokens": 4},
        "max_tokens",
        True,
    )


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"type":"message"}'])
def test_an_answer_without_usage_is_not_complete(body: bytes) -> None:
    tally = JsonTally()
    tally.feed(body)
    tally.finish()

    assert not tally.is_complete
    assert tally.usage == {}
