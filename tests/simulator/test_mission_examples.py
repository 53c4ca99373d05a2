"""The first requests that newcomers send, with nothing changed but address and key."""

from typing import Any

import anthropic
import pytest

from tests.simulator.grammar import frames, message_of
from tests.simulator.running import RunningSimulator, hello

WEATHER = {
    "name": "get_weather",
    "description": "获取指定城市的天气",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALCULATOR = {
    "name": "calculator",
    "description": "Evaluates an expression",
    "input_schema": {"type": "object", "properties": {"expression": {"type": "string"}}},
}


@pytest.mark.parametrize(
    ("model", "max_tokens", "text"),
    [
        ("claude-sonnet-4-5", 1024, "Hello, Claude"),
        ("claude-3-opus-20240229", 1024, "你好，Claude！"),
        ("claude-3-haiku-20240307", 1000, "请解释什么是 RAG 技术？"),
    ],
)
def test_a_greeting_is_answered(simulator: RunningSimulator, model: str, max_tokens: int, text: str) -> None:
    answer = simulator.post(hello(text, model, max_tokens=max_tokens))

    message = answer.json()
    assert answer.status_code == 200
    assert message["type"] == "message"
    assert message["role"] == "assistant"
    assert message["content"][0]["type"] == "text"
    assert text in message["content"][0]["text"]
    assert message["stop_reason"] == "end_turn"
    assert message["usage"]["input_tokens"] > 0
    assert message["usage"]["output_tokens"] > 0
    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["anthropic-organization-id"]
    assert answer.headers["x-tollgate-simulated"] == "true"


def test_the_weather_tool_is_called_for_beijing(simulator: RunningSimulator) -> None:
    body = hello("北京今天天气怎么样？", "claude-3-opus-20240229", max_tokens=1000, tools=[WEATHER])

    message = simulator.post(body).json()

    call = message["content"][0]
    assert call["id"].startswith("toolu_")
    assert (call["type"], call["name"], call["input"]) == ("tool_use", "get_weather", {"city": "北京"})
    assert message["stop_reason"] == "tool_use"


def test_a_story_is_streamed(simulator: RunningSimulator) -> None:
    answer = simulator.post(hello("Tell me a story", "claude-sonnet-4-20250514", stream=True))

    assert answer.headers["content-type"].startswith("text/event-stream")
    names = [frame.name for frame in frames(answer.content)]
    assert list(dict.fromkeys(name for name in names if name != "ping")) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert message_of(answer.content)["content"][0]["text"].startswith("Once upon a time")


@pytest.mark.parametrize(
    ("question", "expression"),
    [("What is 15 * 7?", "15 * 7"), ("What is 15 times 7?", "15 * 7"), ("请计算 (3 + 4) × 5 等于多少", "(3 + 4) * 5")],
)
def test_the_calculator_gets_the_sum(simulator: RunningSimulator, question: str, expression: str) -> None:
    message = simulator.post(hello(question, tools=[CALCULATOR])).json()

    assert message["content"][0]["input"] == {"expression": expression}


def test_a_retired_model_is_found_by_id(simulator: RunningSimulator) -> None:
    model = simulator.client.get("/v1/models/claude-sonnet-4-20250514").json()

    assert (model["type"], model["id"], model["display_name"]) == (
        "model",
        "claude-sonnet-4-20250514",
        "Claude Sonnet 4",
    )
    assert model["created_at"] == "2025-05-14T00:00:00Z"


@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
def test_the_python_package_gets_a_message(simulator: RunningSimulator) -> None:
    client = anthropic.Anthropic(api_key="k-acme", base_url=simulator.address)

    messages: Any = [{"role": "user", "content": "Hello"}]
    message = client.messages.create(model="claude-sonnet-4-20250514", max_tokens=1024, messages=messages)

    assert message.content[0].type == "text"
    assert message.model == "claude-sonnet-4-20250514"


def test_a_body_without_messages_is_told_so(simulator: RunningSimulator) -> None:
    answer = simulator.post({"model": "claude-sonnet-4-5", "max_tokens": 10})

    assert answer.status_code == 400
    assert answer.json()["error"] == {"type": "invalid_request_error", "message": "messages: Field required"}
    assert answer.json()["request_id"] == answer.headers["request-id"]
