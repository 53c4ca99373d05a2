"""Accidents on request: what arrives is what was asked for, and the ledger says so."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.simulator.grammar import GrammarError, frames, message_of, read_stream
from tests.simulator.running import RunningSimulator, hello

STREAM = hello("Tell me a story", stream=True)


def received(simulator: RunningSimulator, script: str, body: dict[str, Any] = STREAM) -> tuple[bytes, bool]:
    """The bytes that arrived, and whether the body came to its proper end."""
    request = simulator.client.build_request(
        "POST", "/v1/messages", json=body, headers={"x-tollgate-simulator-fault": script}
    )
    content = bytearray()
    try:
        answer = simulator.client.send(request, stream=True)
        for piece in answer.iter_raw():
            content += piece
        answer.close()
    except httpx.TransportError:
        return bytes(content), False
    return bytes(content), True


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 429, 500, 503, 504, 529])
def test_any_error_can_be_asked_for(simulator: RunningSimulator, status: int) -> None:
    answer = simulator.ask(f"status={status}; retry-after=3", STREAM)

    assert answer.status_code == status
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-should-retry"] == ("true" if status in (429, 500, 503, 504, 529) else "false")
    assert answer.json()["type"] == "error"
    assert simulator.end_of(answer.headers["request-id"])["outcome"] == "faulted"


def test_an_error_can_be_worded(simulator: RunningSimulator) -> None:
    script = "status=400; type=odd_error; message=Your credit balance is too low, sorry; code=on_hold"

    error = simulator.ask(script, STREAM).json()["error"]

    assert error == {
        "type": "odd_error",
        "message": "Your credit balance is too low, sorry",
        "details": {"error_code": "on_hold"},
    }


@pytest.mark.parametrize("script", ["html", "status=502; html"])
def test_a_page_of_html_can_come_instead(simulator: RunningSimulator, script: str) -> None:
    answer = simulator.ask(script, STREAM)

    assert answer.status_code == (502 if "502" in script else 200)
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize("script", ["reset-before-headers", "reset-after-headers", "reset-after-bytes=0"])
@pytest.mark.parametrize("body", [STREAM, hello()])
def test_a_reset_leaves_nothing(simulator: RunningSimulator, script: str, body: dict[str, Any]) -> None:
    content, is_whole = received(simulator, script, body)

    assert (content, is_whole) == (b"", False)
    assert simulator.last_end()["outcome"] == "faulted"


@pytest.mark.parametrize(("verb", "is_whole"), [("end", True), ("cut", False), ("reset", False)])
def test_a_stream_can_stop_after_five_events(simulator: RunningSimulator, verb: str, is_whole: bool) -> None:
    content, came_to_end = received(simulator, f"{verb}-after-events=5")

    assert came_to_end == is_whole
    assert len(list(frames(content))) == 5
    with pytest.raises(GrammarError):
        read_stream(content)
    end = simulator.last_end()
    assert (end["outcome"], end["events"], end["usage"]["output_tokens"]) == ("faulted", 5, 1)


@pytest.mark.parametrize("body", [STREAM, hello()])
def test_a_body_can_be_cut_after_bytes(simulator: RunningSimulator, body: dict[str, Any]) -> None:
    content, is_whole = received(simulator, "cut-after-bytes=100", body)

    assert (len(content), is_whole) == (100, False)


def test_an_error_event_ends_the_stream(simulator: RunningSimulator) -> None:
    answer = simulator.ask("error-after-events=4:overloaded_error", STREAM)

    reader = read_stream(answer.content)
    assert reader.error == {"type": "overloaded_error", "message": "Overloaded"}
    last = list(frames(answer.content))[-1]
    assert last.data["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize(
    ("script", "body"),
    [
        ("stall-before-headers=0.3", STREAM),
        ("stall-before-headers=0.3", hello()),
        ("stall-after-events=3:0.3", STREAM),
        ("stall-after-bytes=50:0.3", hello()),
    ],
)
def test_a_stall_is_silence_and_nothing_worse(simulator: RunningSimulator, script: str, body: dict[str, Any]) -> None:
    started = time.monotonic()

    answer = simulator.ask(script, body)

    assert time.monotonic() - started > 0.3
    assert simulator.end_of(answer.headers["request-id"])["outcome"] == "finished"


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("unknown-after-events=3", b"event: weather_report"),
        ("comment-after-events=3", b": a comment\n\n"),
        ("crlf", b"event: ping\r\ndata: "),
        ("long-line=200000", b"A" * 200_000),
        ("chunk=1", b"event: ping\n"),
        ("events-per-write=0", b"event: ping\n"),
    ],
)
def test_odd_but_legal_streams_finish(simulator: RunningSimulator, script: str, found: bytes) -> None:
    answer = simulator.ask(script, STREAM)

    assert found in answer.content
    assert b"message_stop" in answer.content
    assert simulator.end_of(answer.headers["request-id"])["outcome"] == "finished"


@pytest.mark.parametrize("script", ["malformed-after-events=4", "unnamed-after-events=4"])
def test_broken_frames_do_not_pass_the_grammar(simulator: RunningSimulator, script: str) -> None:
    answer = simulator.ask(script, STREAM)

    with pytest.raises(ValueError if "malformed" in script else GrammarError):
        message_of(answer.content)
    assert simulator.end_of(answer.headers["request-id"])["outcome"] == "faulted"


@pytest.mark.parametrize("body", [STREAM, hello()])
@pytest.mark.parametrize(
    ("kind", "is_odd"),
    [
        ("missing", lambda usage: usage is None),
        ("null", lambda usage: usage is None),
        ("negative", lambda usage: usage["output_tokens"] == -5),
        ("text", lambda usage: usage["output_tokens"] == "many"),
        ("huge", lambda usage: usage["output_tokens"] == 10**18),
    ],
)
def test_usage_can_be_odd(
    simulator: RunningSimulator, body: dict[str, Any], kind: str, is_odd: Callable[[Any], bool]
) -> None:
    answer = simulator.ask(f"usage={kind}", body)

    last = json.loads(answer.content.split(b"data: ")[-2].splitlines()[0]) if "stream" in body else answer.json()
    assert is_odd(last.get("usage"))


def test_usage_can_go_down(simulator: RunningSimulator) -> None:
    deltas = [f.data for f in frames(simulator.ask("usage=decreasing", STREAM).content) if f.name == "message_delta"]

    assert [delta["usage"]["output_tokens"] - deltas[1]["usage"]["output_tokens"] for delta in deltas] == [50, 0]


def test_broken_json_has_its_length(simulator: RunningSimulator) -> None:
    answer = simulator.ask("malformed", hello())

    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_user_id_can_carry_a_script(simulator: RunningSimulator) -> None:
    assert simulator.post(hello(metadata={"user_id": "simulator: status=529"})).status_code == 529


def test_a_typing_error_in_a_script_is_told(simulator: RunningSimulator) -> None:
    answer = simulator.ask("cut-after-event=5", STREAM)

    assert answer.status_code == 400
    assert "'cut-after-event=5' is not understood" in answer.json()["error"]["message"]


def test_one_script_can_hold_for_all_requests(another_simulator: Callable[..., RunningSimulator]) -> None:
    failing = another_simulator("--always", "status=503")

    assert failing.post(hello()).status_code == 503
