"""The mock upstream's answers as bytes: valid Messages JSON and SSE with usage. Pure."""

from functools import lru_cache

FIRST_EVENTS = 2  # message_start, content_block_start
LAST_EVENTS = 3  # content_block_stop, message_delta, message_stop
STAMP_MARK = b'"text":"t='
STAMP_DIGITS = 19

_STANDING = (
    b"date: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: mock\r\n"
    b"request-id: req_011CRbenchbenchbenchbench\r\n"
    b"anthropic-organization-id: 7d9d5bf4-5f2a-4a52-9f0e-3a1b6e2f0c11\r\n"
)
_TEXT = b"Sunlight is scattered by the air, blue far more than red; at noon the short path leaves the sky blue. " * 2
_USAGE = (
    b'"usage":{"input_tokens":58,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,'
    b'"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},'
    b'"output_tokens":%d,"service_tier":"standard"}'
)
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    + _STANDING
    + b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


def plain(status: bytes, payload: bytes) -> bytes:
    """A whole JSON answer; `status` as in b"200 OK"."""
    head = b"HTTP/1.1 %s\r\n%scontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, _STANDING, len(payload)) + payload


NOT_FOUND = plain(
    b"404 Not Found",
    b'{"type":"error","error":{"type":"not_found_error","message":"not found"},"request_id":"req_011CRbench"}',
)


@lru_cache(maxsize=64)
def message(model: bytes) -> bytes:
    """The JSON answer of one request."""
    content = b'[{"type":"text","text":"%s"}]' % _TEXT
    return plain(b"200 OK", _message(model, content, b'"end_turn"', output_tokens=46))


@lru_cache(maxsize=64)
def stream(model: bytes, events: int) -> bytes:
    """A whole SSE answer, each event a chunk of its own."""
    return STREAM_HEAD + b"".join(event(model, index, events, 0) for index in range(events)) + LAST_CHUNK


def event(model: bytes, index: int, events: int, stamp_ns: int) -> bytes:
    """Event number `index` of a stream of `events`, framed as one chunk; a text event carries `stamp_ns`."""
    if FIRST_EVENTS <= index < events - LAST_EVENTS:
        return _DELTA % stamp_ns
    return _frame(model, index if index < FIRST_EVENTS else index - events, events)


def _message(model: bytes, content: bytes, stop_reason: bytes, output_tokens: int) -> bytes:
    return (
        b'{"id":"msg_01BenchBenchBenchBenchBe","type":"message","role":"assistant","model":"%s","content":%s,'
        b'"stop_reason":%s,"stop_sequence":null,%s}'
    ) % (model, content, stop_reason, _USAGE % output_tokens)


def _chunk(name: bytes, data: bytes) -> bytes:
    frame = b"event: %s\ndata: %s\n\n" % (name, data)
    return b"%x\r\n%s\r\n" % (len(frame), frame)


@lru_cache(maxsize=512)
def _frame(model: bytes, place: int, events: int) -> bytes:
    """The framing event at `place`: 0 and 1 from the start, -3 to -1 from the end."""
    if place == 0:
        start = b'{"type":"message_start","message":%s}' % _message(model, b"[]", b"null", output_tokens=1)
        return _chunk(b"message_start", start)
    if place == 1:
        block = b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'
        return _chunk(b"content_block_start", block)
    if place == -3:
        return _chunk(b"content_block_stop", b'{"type":"content_block_stop","index":0}')
    if place == -2:
        end = b'{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},%s}'
        return _chunk(b"message_delta", end % (_USAGE % max(1, 8 * (events - FIRST_EVENTS - LAST_EVENTS))))
    return _chunk(b"message_stop", b'{"type":"message_stop"}')


def _delta() -> bytes:
    """The chunk of a text event with a place for the stamp: its length does not depend on it."""
    text = STAMP_MARK + b"0" * STAMP_DIGITS + b' and so the sky looks blue"'
    chunk = _chunk(
        b"content_block_delta", b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta",%s}}' % text
    )
    return chunk.replace(b"0" * STAMP_DIGITS, b"%%0%dd" % STAMP_DIGITS)


_DELTA = _delta()
