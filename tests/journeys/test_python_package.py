"""The newest `anthropic` package, with nothing set but address and key."""

import base64
from typing import Any

import anthropic
import httpx
import pytest

from tests.gateway import Gateway
from tests.journeys.rows import final_row

MODEL = "claude-sonnet-4-6"
THINKING_MODEL = "claude-opus-5-5"
HELLO: Any = [{"role": "user", "content": "Hello, Claude"}]
WEATHER: Any = {
    "name": "get_weather",
    "description": "Current weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
    )
).decode()


@pytest.fixture
def client(shared_gateway: Gateway) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key=shared_gateway.api_key, base_url=shared_gateway.address, max_retries=0)


def test_create_is_answered_and_metered(client: anthropic.Anthropic, shared_gateway: Gateway) -> None:
    message = client.messages.create(model=MODEL, max_tokens=256, messages=HELLO)

    row = final_row(shared_gateway, message._request_id or "")
    assert message.stop_reason == "end_turn"
    assert message.content[0].type == "text"
    assert (row["outcome"], row["is_estimated"], row["message_id"]) == ("completed", False, message.id)
    assert row["uncached_input_tokens"] == message.usage.input_tokens
    assert row["output_tokens"] == message.usage.output_tokens
    assert row["cost_picos"] == message.usage.input_tokens * 3_000_000 + message.usage.output_tokens * 15_000_000


def test_the_stream_helper_gathers_the_message(client: anthropic.Anthropic, shared_gateway: Gateway) -> None:
    with client.messages.stream(model=MODEL, max_tokens=256, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()

    row = final_row(shared_gateway, stream.request_id or "")
    assert message.stop_reason == "end_turn"
    assert message.content[0].text == text  # type: ignore[union-attr]
    assert (row["outcome"], row["output_tokens"]) == ("completed", message.usage.output_tokens)


def test_a_raw_stream_yields_every_event(client: anthropic.Anthropic) -> None:
    with client.messages.create(model=MODEL, max_tokens=256, messages=HELLO, stream=True) as stream:
        kinds = [event.type for event in stream]

    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert "content_block_delta" in kinds


def test_a_tool_is_used_and_its_result_is_read(client: anthropic.Anthropic) -> None:
    question: Any = [{"role": "user", "content": "What is the weather in Paris?"}]
    called = client.messages.create(model=MODEL, max_tokens=256, tools=[WEATHER], messages=question)
    use = next(block for block in called.content if block.type == "tool_use")
    turns: Any = [
        *question,
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in called.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "21 degrees"}]},
    ]
    answered = client.messages.create(model=MODEL, max_tokens=256, tools=[WEATHER], messages=turns)

    assert called.stop_reason == "tool_use"
    assert use.input == {"city": "Paris"}
    assert answered.stop_reason == "end_turn"


def test_a_tool_call_is_streamed_in_pieces(client: anthropic.Anthropic) -> None:
    question: Any = [{"role": "user", "content": "What is the weather in Paris?"}]

    with client.messages.stream(model=MODEL, max_tokens=256, tools=[WEATHER], messages=question) as stream:
        message = stream.get_final_message()

    use = next(block for block in message.content if block.type == "tool_use")
    assert use.input == {"city": "Paris"}


def test_thinking_comes_with_its_signature(client: anthropic.Anthropic) -> None:
    message = client.messages.create(
        model=MODEL, max_tokens=4096, thinking={"type": "enabled", "budget_tokens": 1024}, messages=HELLO
    )
    with client.messages.stream(
        model=THINKING_MODEL,
        max_tokens=4096,
        thinking={"type": "adaptive", "display": "summarized"},
        messages=HELLO,
    ) as stream:
        streamed = stream.get_final_message()

    for thought in (message.content[0], streamed.content[0]):
        assert thought.type == "thinking"
        assert thought.thinking
        assert thought.signature


def test_an_image_is_looked_at(client: anthropic.Anthropic) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    turns: Any = [
        {"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]}
    ]

    message = client.messages.create(model=MODEL, max_tokens=256, messages=turns)

    assert message.stop_reason == "end_turn"


async def test_the_asynchronous_client_does_the_same(shared_gateway: Gateway) -> None:
    async with anthropic.AsyncAnthropic(api_key=shared_gateway.api_key, base_url=shared_gateway.address) as client:
        message = await client.messages.create(model=MODEL, max_tokens=256, messages=HELLO)
        async with client.messages.stream(model=MODEL, max_tokens=256, messages=HELLO) as stream:
            texts = [text async for text in stream.text_stream]

    assert message.content[0].text == "".join(texts)  # type: ignore[union-attr]


def test_raw_headers_are_ours(client: anthropic.Anthropic) -> None:
    raw = client.messages.with_raw_response.create(model=MODEL, max_tokens=256, messages=HELLO)
    with client.messages.with_streaming_response.create(
        model=MODEL, max_tokens=256, messages=HELLO, stream=True
    ) as streamed:
        streamed.read()

    for headers in (raw.headers, streamed.headers):
        assert headers["request-id"].startswith("req_")
        assert headers["anthropic-organization-id"]
        assert headers["anthropic-workspace-id"].startswith("wrkspc_")
    assert streamed.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "content-encoding" not in streamed.headers
    assert raw.parse().type == "message"


def test_both_live_versions_and_betas_pass(client: anthropic.Anthropic) -> None:
    for version in ("2023-06-01", "2026-10-21"):
        message = client.messages.create(
            model=MODEL, max_tokens=64, messages=HELLO, extra_headers={"anthropic-version": version}
        )
        assert message.type == "message"

    beta = client.beta.messages.create(
        model=MODEL, max_tokens=64, messages=HELLO, betas=["context-management-2025-06-27"]
    )

    assert beta.type == "message"


def test_models_can_be_looked_around(client: anthropic.Anthropic) -> None:
    listed = client.models.list(limit=3)

    assert len(listed.data) == 3
    assert client.models.retrieve(MODEL).display_name == "Claude Sonnet 4.6"


def test_a_wrong_key_raises_its_class(shared_gateway: Gateway) -> None:
    stranger = anthropic.Anthropic(api_key="sk-toll-api01-wrong", base_url=shared_gateway.address)

    with pytest.raises(anthropic.AuthenticationError) as refused:
        stranger.messages.create(model=MODEL, max_tokens=16, messages=HELLO)

    _check_refusal(refused.value, 401, "authentication_error")


def test_a_wrong_model_raises_its_class(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as refused:
        client.messages.create(model="claude-nobody-9", max_tokens=16, messages=HELLO)

    _check_refusal(refused.value, 404, "not_found_error")
    assert "model: claude-nobody-9" in str(refused.value)


def test_a_bad_body_raises_its_class(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(model=MODEL, max_tokens=16, messages="Hello")  # type: ignore[call-overload]
    with pytest.raises(anthropic.BadRequestError) as empty:
        client.messages.create(model=MODEL, max_tokens=16, messages=[])

    _check_refusal(refused.value, 400, "invalid_request_error")
    assert "messages: Input should be a valid list" in str(refused.value)
    assert "messages: at least one message is required" in str(empty.value)


@pytest.mark.parametrize("is_stream", [False, True], ids=["json", "stream"])
def test_oversize_raises_its_class(client: anthropic.Anthropic, is_stream: bool) -> None:
    huge: Any = [{"role": "user", "content": "x" * (33 << 20)}]

    with pytest.raises(anthropic.ContentTooLargeError) as refused:
        client.messages.create(model=MODEL, max_tokens=16, messages=huge, stream=is_stream)

    _check_refusal(refused.value, 413, "request_too_large")
    assert client.messages.create(model=MODEL, max_tokens=16, messages=HELLO).type == "message"


def test_an_unknown_path_raises_its_class(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as refused:
        client.post("/v1/nothing-here", cast_to=httpx.Response)

    _check_refusal(refused.value, 404, "not_found_error")


def test_an_error_inside_a_stream_is_raised_with_its_type(client: anthropic.Anthropic) -> None:
    script = {"x-tollgate-simulator-fault": "error-after-events=4:overloaded_error"}

    with (
        pytest.raises(anthropic.APIStatusError) as refused,
        client.messages.stream(model=MODEL, max_tokens=256, messages=HELLO, extra_headers=script) as stream,
    ):
        stream.until_done()

    assert refused.value.type == "overloaded_error"
    assert refused.value.request_id == stream.request_id


def test_a_cut_stream_never_looks_complete(client: anthropic.Anthropic, shared_gateway: Gateway) -> None:
    script = {"x-tollgate-simulator-fault": "end-after-events=5"}

    with (
        pytest.raises(anthropic.APIStatusError) as refused,
        client.messages.stream(model=MODEL, max_tokens=256, messages=HELLO, extra_headers=script) as stream,
    ):
        stream.until_done()

    row = final_row(shared_gateway, refused.value.request_id or "")
    assert refused.value.type == "api_error"
    assert (row["outcome"], row["is_estimated"]) == ("upstream_error", True)


def _check_refusal(error: anthropic.APIStatusError, status: int, type_: str) -> None:
    body: Any = error.body
    assert error.status_code == status
    assert error.type == type_
    assert (error.request_id or "").startswith("req_")
    assert body["request_id"] == error.request_id
