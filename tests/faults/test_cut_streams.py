"""A stream that stops short says so: after the bytes that came, `event: error`, never a silent end."""

import json
import random
from typing import Any

import anthropic
import httpx
import pytest

from tests.faults.conftest import Faulty
from tests.faults.raw import STREAM_HEAD, Request, Writer, chunk
from tests.faults.samples import body, frames
from tests.journeys.rows import final_row

SENT = b"".join(frames("从前有一座山，", "山里有一座庙。", "Hello"))
WINDOWS = b"".join(frames("从前有一座山，", "山里", newline="\r\n"))


def cutting(data: bytes, how: str) -> Any:
    """Answers with the first bytes of a stream, as many as the request asks for, and stops."""

    async def answer(request: Request, writer: Writer) -> None:
        writer.write(STREAM_HEAD + chunk(data[: int(request.header("x-cut"))]))
        await writer.drain()
        if how == "end":
            writer.write(chunk(b""))
        elif how == "close":
            writer.close()
        else:
            writer.write(b"not a chunk size\r\n")

    return answer


@pytest.mark.parametrize("how", ["end", "close", "garbage"])
@pytest.mark.parametrize("data", [SENT, WINDOWS], ids=["unix", "windows"])
async def test_a_cut_anywhere_is_told_after_the_bytes_that_came(
    faulty: Faulty, client: httpx.AsyncClient, how: str, data: bytes
) -> None:
    last_event = data.rindex(b"event: message_stop")
    cuts = sorted(random.Random(how).sample(range(1, last_event), 25))

    async with faulty.raw.answering(cutting(data, how)):
        for cut in cuts:
            answer = await client.post("/v1/messages", json=body(stream=True), headers={"x-cut": str(cut)})

            ours = answer.content.removeprefix(data[:cut])
            told = json.loads(ours[ours.index(b'{"type":"error"') :])
            assert answer.content.startswith(data[:cut])
            assert ours.endswith(b"\n\n")
            assert ours.count(b"event: error\n") == 1
            assert told["error"]["type"] == "api_error"
            assert told["request_id"] == answer.headers["request-id"]

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert (row["outcome"], row["is_estimated"], row["error_type"]) == ("upstream_error", True, "api_error")


async def test_whole_frames_are_followed_by_nothing_but_the_error(faulty: Faulty, client: httpx.AsyncClient) -> None:
    whole = b"".join(frames("Hello")[:3])

    async with faulty.raw.answering(cutting(whole, "end")):
        answer = await client.post("/v1/messages", json=body(stream=True), headers={"x-cut": str(len(whole))})

    assert answer.content.startswith(whole + b"event: error\ndata: {")
    assert answer.content.count(b"event:") == whole.count(b"event:") + 1


@pytest.mark.parametrize("data", [SENT, WINDOWS], ids=["unix", "windows"])
def test_the_official_package_raises_its_own_error_wherever_the_cut_is(data: bytes) -> None:
    """Strict clients decode line by line: what is left of a frame must neither be parsed nor break the decoder."""
    from relay import errors
    from relay.sse import Frames

    last_event = data.rindex(b"event: message_stop")
    failed = {}
    for cut in range(1, last_event):
        seen = Frames()
        seen.whole(data[:cut])
        stream = data[:cut] + seen.closing() + errors.error_event("api_error", "cut", "req_1")
        raised = _raised(stream)
        if not isinstance(raised, anthropic.APIStatusError) or raised.type != "api_error":
            failed[cut] = repr(raised)

    assert failed == {}


def _raised(stream: bytes) -> Exception | None:
    """What the package makes of a stream, handed to it without a server."""
    import httpx2

    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    )
    client = anthropic.Anthropic(api_key="k", http_client=httpx2.Client(transport=transport), max_retries=0)
    messages: Any = [{"role": "user", "content": "Hello"}]
    try:
        for _ in client.messages.create(model="claude-opus-4-6", max_tokens=9, messages=messages, stream=True):
            pass
    except Exception as error:
        return error
    return None
