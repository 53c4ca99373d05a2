"""Answers of the Messages API for scripted upstreams."""

import asyncio

from tests.relay.scripted import Script, read_request

MESSAGE = (
    b'{"id":"msg_1","type":"message","model":"claude-sonnet-4-6","content":[],"stop_reason":"end_turn",'
    b'"usage":{"input_tokens":3,"output_tokens":4}}'
)
START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"claude-sonnet-4-6",'
    b'"usage":{"input_tokens":25,"output_tokens":1}}}\n\n'
)
TEXT = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"%b"}}\n\n'
)
DELTA = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
    b'"usage":{"output_tokens":15}}\n\n'
)
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """In the chunked coding; `chunk(b"")` ends a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def stream(*frames: bytes) -> bytes:
    """A whole answer, a chunk for each frame."""
    return STREAM_HEAD + b"".join(map(chunk, (*frames, b"")))


def replying(reply: bytes) -> Script:
    """The same answer to every request."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(reply)
            await writer.drain()

    return script


def beginning(reply: bytes) -> Script:
    """These bytes to the first request, and then nothing more."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(reply)
        await asyncio.sleep(60)

    return script
