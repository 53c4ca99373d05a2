"""The official Python package, pointed at the simulator."""

import base64
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.simulator.running import RunningSimulator
from tests.simulator.test_media import png

MODEL = "claude-sonnet-4-5"
HELLO: Any = [{"role": "user", "content": "Hello"}]
TOOL: Any = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
pytestmark = pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
FAULT = "x-tollgate-simulator-fault"


@pytest.fixture
def client(simulator: RunningSimulator) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="k-acme", base_url=simulator.address, max_retries=0) as client:
        yield client


def test_create(client: anthropic.Anthropic) -> None:
    message = client.messages.create(model=MODEL, max_tokens=100, messages=HELLO)

    assert isinstance(message.content[0], anthropic.types.TextBlock)
    assert message.usage.cache_creation is not None
    assert message.usage.output_tokens_details is not None
    assert message._request_id is not None


def test_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model=MODEL, max_tokens=1000, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()

    assert text == message.content[0].text  # type: ignore[union-attr]
    assert message.usage.output_tokens > 20
    assert message.stop_reason == "end_turn"


def test_a_round_with_a_tool(client: anthropic.Anthropic) -> None:
    question: Any = {"role": "user", "content": "What's the weather in San Francisco?"}
    with client.messages.stream(model=MODEL, max_tokens=1000, tools=[TOOL], messages=[question]) as stream:
        call = stream.get_final_message()
    used = call.content[0]
    assert isinstance(used, anthropic.types.ToolUseBlock)
    assert used.input == {"city": "San Francisco"}

    result: Any = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": used.id, "content": "foggy"}]}
    answer = client.messages.create(
        model=MODEL, max_tokens=1000, tools=[TOOL], messages=[question, call.to_param(), result]
    )

    assert "foggy" in answer.content[0].text  # type: ignore[union-attr]


def test_thinking(client: anthropic.Anthropic) -> None:
    with client.messages.stream(
        model=MODEL, max_tokens=3000, thinking={"type": "enabled", "budget_tokens": 2000}, messages=HELLO
    ) as stream:
        message = stream.get_final_message()

    thought = message.content[0]
    assert isinstance(thought, anthropic.types.ThinkingBlock)
    again: Any = [*HELLO, message.to_param(), {"role": "user", "content": "And?"}]
    assert thought.signature
    assert client.messages.create(model=MODEL, max_tokens=100, messages=again).content


def test_an_image(client: anthropic.Anthropic) -> None:
    data = base64.b64encode(png(10, 10)).decode()
    image: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    content: Any = [image, {"type": "text", "text": "What?"}]

    message = client.messages.create(model=MODEL, max_tokens=100, messages=[{"role": "user", "content": content}])

    assert "1 image" in message.content[0].text  # type: ignore[union-attr]


def test_search_with_citations(client: anthropic.Anthropic) -> None:
    search: Any = {"type": "web_search_20250305", "name": "web_search"}
    with client.messages.stream(model=MODEL, max_tokens=1000, tools=[search], messages=HELLO) as stream:
        message = stream.get_final_message()

    assert message.usage.server_tool_use is not None
    assert message.usage.server_tool_use.web_search_requests == 1
    assert message.content[-1].citations  # type: ignore[union-attr]


async def test_async(simulator: RunningSimulator) -> None:
    async with (
        anthropic.AsyncAnthropic(api_key="k-acme", base_url=simulator.address) as client,
        client.messages.stream(model=MODEL, max_tokens=1000, messages=HELLO) as stream,
    ):
        events = [event.type async for event in stream]

    assert events[-1] == "message_stop"


def test_count_and_models(client: anthropic.Anthropic) -> None:
    assert client.messages.count_tokens(model=MODEL, messages=HELLO).input_tokens > 5
    assert client.models.retrieve("claude-opus-5-5").display_name == "Claude Opus 5.5"
    assert len(list(client.models.list(limit=5))) > 15


def test_raw_headers(client: anthropic.Anthropic) -> None:
    raw = client.messages.with_raw_response.create(model=MODEL, max_tokens=100, messages=HELLO)

    assert raw.headers["request-id"] == raw.parse()._request_id


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("status=400", anthropic.BadRequestError),
        ("status=401", anthropic.AuthenticationError),
        ("status=402", anthropic.APIStatusError),
        ("status=403", anthropic.PermissionDeniedError),
        ("status=404", anthropic.NotFoundError),
        ("status=413", anthropic.APIStatusError),
        ("status=429", anthropic.RateLimitError),
        ("status=500", anthropic.InternalServerError),
        ("status=529", anthropic.InternalServerError),
        ("reset-before-headers", anthropic.APIConnectionError),
    ],
)
def test_the_right_class_of_error(client: anthropic.Anthropic, script: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        client.messages.create(model=MODEL, max_tokens=1, messages=HELLO, extra_headers={FAULT: script})

    if isinstance(raised.value, anthropic.APIStatusError):
        assert raised.value.request_id is not None


def test_an_error_in_mid_stream_is_raised(client: anthropic.Anthropic) -> None:
    with (
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
        client.messages.stream(
            model=MODEL, max_tokens=1000, messages=HELLO, extra_headers={FAULT: "error-after-events=4:overloaded_error"}
        ) as stream,
    ):
        stream.get_final_message()
