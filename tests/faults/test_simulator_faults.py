"""Every accident that the simulator knows, through two workers: what the client sees, and what the row says."""

import json

import httpx
import pytest

from tests.faults.samples import body
from tests.gateway import Gateway
from tests.journeys.rows import final_row

FAULT = "x-tollgate-simulator-fault"


@pytest.fixture
def client(shared_gateway: Gateway) -> httpx.Client:
    headers = {"x-api-key": shared_gateway.api_key, "anthropic-version": "2023-06-01"}
    return httpx.Client(base_url=shared_gateway.address, headers=headers, timeout=30)


def told(content: bytes) -> dict[str, str]:
    """The error event at the end of a stream."""
    assert content.count(b"event: error\n") == 1
    error: dict[str, str] = json.loads(content[content.index(b'{"type":"error"') :])["error"]
    return error


@pytest.mark.parametrize(
    "script",
    [
        "end-after-events=5",
        "cut-after-events=5",
        "reset-after-events=5",
        "cut-after-bytes=700",
        "reset-after-bytes=700",
    ],
)
def test_a_stream_that_stops_short_ends_with_an_error(
    client: httpx.Client, shared_gateway: Gateway, script: str
) -> None:
    answer = client.post("/v1/messages", json=body(stream=True), headers={FAULT: script})

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert answer.content.startswith(b"event: message_start\n")
    assert told(answer.content)["type"] == "api_error"
    assert b"message_stop" not in answer.content
    assert (row["outcome"], row["is_estimated"], row["status"]) == ("upstream_error", True, 200)
    assert row["uncached_input_tokens"] > 0


def test_an_error_event_passes_and_nothing_is_added(client: httpx.Client, shared_gateway: Gateway) -> None:
    script = {FAULT: "error-after-events=4:overloaded_error"}

    answer = client.post("/v1/messages", json=body(stream=True), headers=script)

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert told(answer.content) == {"type": "overloaded_error", "message": "Overloaded"}
    assert (row["outcome"], row["error_type"], row["is_estimated"]) == ("upstream_error", "overloaded_error", True)


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("script", ["reset-before-headers"])
def test_no_answer_is_502(client: httpx.Client, shared_gateway: Gateway, script: str, stream: bool) -> None:
    answer = client.post("/v1/messages", json=body(stream=stream), headers={FAULT: script})

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert answer.status_code == 502
    assert (row["outcome"], row["is_estimated"]) == ("upstream_error", True)


@pytest.mark.parametrize("script", ["reset-after-headers", "reset-after-bytes=0", "cut-after-bytes=100"])
def test_a_json_answer_that_stops_short_never_looks_whole(
    client: httpx.Client, shared_gateway: Gateway, script: str
) -> None:
    with (
        client.stream("POST", "/v1/messages", json=body(), headers={FAULT: script}) as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        answer.read()

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert (row["outcome"], row["is_estimated"]) == ("upstream_error", True)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("stall-before-headers=0.4", b"message_start"),
        ("stall-after-events=3:0.4", b"message_start"),
        ("stall-after-bytes=50:0.4", b"message_start"),
        ("unknown-after-events=3", b"event: weather_report"),
        ("comment-after-events=3", b": a comment\n\n"),
        ("unnamed-after-events=4", b"unheard"),
        ("crlf", b"event: ping\r\ndata: "),
        ("long-line=400000", b"A" * 400_000),
        ("chunk=1", b"event: ping\n"),
        ("events-per-write=0", b"event: ping\n"),
    ],
)
def test_odd_but_whole_streams_are_completed_with_exact_tokens(
    client: httpx.Client, shared_gateway: Gateway, script: str, found: bytes
) -> None:
    answer = client.post("/v1/messages", json=body(stream=True), headers={FAULT: script})

    row = final_row(shared_gateway, answer.headers["request-id"])
    last = answer.content[answer.content.index(b'"type":"message_delta"') :]
    assert found in answer.content
    assert b"event: error" not in answer.content
    assert (row["outcome"], row["is_estimated"]) == ("completed", False)
    assert f'"output_tokens":{row["output_tokens"]}'.encode() in last


def test_a_broken_frame_passes_and_the_rest_is_counted(client: httpx.Client, shared_gateway: Gateway) -> None:
    answer = client.post("/v1/messages", json=body(stream=True), headers={FAULT: "malformed-after-events=4"})

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert b'"delta":{"type":"te\n\n' in answer.content
    assert row["outcome"] == "completed"
    assert row["output_tokens"] > 0


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("kind", ["missing", "null", "decreasing", "negative", "text", "huge"])
def test_odd_usage_never_breaks_the_ledger(
    client: httpx.Client, shared_gateway: Gateway, kind: str, stream: bool
) -> None:
    answer = client.post("/v1/messages", json=body(stream=stream), headers={FAULT: f"usage={kind}"})

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert answer.status_code == 200
    assert row["outcome"] == "completed"
    assert 0 <= row["output_tokens"] <= 10**9
    assert row["cost_picos"] >= 0


def test_half_a_json_answer_passes_as_it_is_and_is_an_estimate(client: httpx.Client, shared_gateway: Gateway) -> None:
    answer = client.post("/v1/messages", json=body(), headers={FAULT: "malformed"})

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert row["is_estimated"]


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
def test_a_page_of_html_passes_as_it_is_and_is_an_estimate(
    client: httpx.Client, shared_gateway: Gateway, stream: bool
) -> None:
    answer = client.post("/v1/messages", json=body(stream=stream), headers={FAULT: "html"})

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert answer.text.startswith("<html>")
    assert answer.headers["content-type"].startswith("text/html")
    assert row["is_estimated"]


@pytest.mark.parametrize(
    ("status", "seen"),
    [(400, 400), (401, 503), (402, 503), (403, 503), (404, 404), (413, 413), (429, 529), (500, 500), (529, 529)],
)
def test_a_status_is_passed_or_translated(
    client: httpx.Client, shared_gateway: Gateway, status: int, seen: int
) -> None:
    answer = client.post("/v1/messages", json=body(stream=True), headers={FAULT: f"status={status}; retry-after=3"})

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert answer.status_code == seen
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["request_id"] == answer.headers["request-id"]
    assert (row["outcome"], row["status"], row["cost_picos"]) == ("upstream_error", status, 0)


@pytest.mark.parametrize("reason", ["refusal", "pause_turn"])
def test_stop_reasons_are_noted(client: httpx.Client, shared_gateway: Gateway, reason: str) -> None:
    content = body(stream=True, max_tokens=1_000)

    answer = client.post("/v1/messages", json=content, headers={FAULT: f"stop-reason={reason}"})

    row = final_row(shared_gateway, answer.headers["request-id"])
    assert (row["outcome"], row["stop_reason"]) == ("completed", reason)
