"""The first requests that newcomers copy from documents, with nothing changed but address and key."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from tests.gateway import Gateway
from tests.journeys.installing import Installer, patient
from tests.requirements import require

DOCUMENTED_ADDRESS = "https://api.anthropic.com"

Json = dict[str, Any]


@dataclass(frozen=True)
class Printed:
    """What curl shows with `-i`."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Json:
        return json.loads(self.body)  # type: ignore[no-any-return]


@pytest.fixture
def curl(shared_gateway: Gateway) -> Any:
    """Runs a command as a document shows it."""
    require("curl")

    def run(command: str) -> Printed:
        command = command.replace(DOCUMENTED_ADDRESS, shared_gateway.address).replace("curl ", "curl -isS ", 1)
        environment = {**shared_gateway.environment, "ANTHROPIC_API_KEY": shared_gateway.api_key}
        done = subprocess.run(
            ["sh", "-c", command], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        status, *lines = head.split("\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return Printed(int(status.split()[1]), headers, body)

    return run


GREETINGS = [
    """curl https://api.anthropic.com/v1/messages \\
     --header "x-api-key: $ANTHROPIC_API_KEY" \\
     --header "anthropic-version: 2023-06-01" \\
     --header "content-type: application/json" \\
     --data '{
         "model": "claude-sonnet-4-5",
         "max_tokens": 1024,
         "messages": [{"role": "user", "content": "Hello, Claude"}]
     }'""",
    """curl https://api.anthropic.com/v1/messages \\
     -H "x-api-key: $ANTHROPIC_API_KEY" \\
     -H "anthropic-version: 2023-06-01" \\
     -H "content-type: application/json" \\
     -d '{"model": "claude-3-opus-20240229", "max_tokens": 1024,
          "messages": [{"role": "user", "content": "你好，Claude！"}]}'""",
    """curl https://api.anthropic.com/v1/messages \\
     -H "x-api-key: $ANTHROPIC_API_KEY" \\
     -H "anthropic-version: 2023-06-01" \\
     -H "content-type: application/json" \\
     -d '{"model": "claude-3-haiku-20240307", "max_tokens": 1000,
          "messages": [{"role": "user", "content": "请解释什么是 RAG 技术？"}]}'""",
]


@pytest.mark.parametrize("command", GREETINGS, ids=["sonnet", "opus", "haiku"])
def test_a_greeting_is_answered(curl: Any, command: str) -> None:
    printed = curl(command)

    message = printed.json
    assert printed.status == 200
    assert (message["type"], message["role"], message["stop_reason"]) == ("message", "assistant", "end_turn")
    assert message["content"][0]["type"] == "text"
    assert message["content"][0]["text"]
    assert message["usage"]["input_tokens"] > 0
    assert message["usage"]["output_tokens"] > 0
    assert printed.headers["request-id"].startswith("req_")
    assert printed.headers["anthropic-organization-id"]


def test_a_tool_is_called_with_its_argument(curl: Any) -> None:
    printed = curl(
        """curl https://api.anthropic.com/v1/messages \\
     -H "x-api-key: $ANTHROPIC_API_KEY" \\
     -H "anthropic-version: 2023-06-01" \\
     -H "content-type: application/json" \\
     -d '{"model": "claude-3-opus-20240229", "max_tokens": 1000,
          "tools": [{"name": "get_weather", "description": "获取指定城市的天气",
                     "input_schema": {"type": "object", "properties": {"city": {"type": "string"}},
                                      "required": ["city"]}}],
          "messages": [{"role": "user", "content": "北京今天天气怎么样？"}]}'"""
    )

    message = printed.json
    call = next(block for block in message["content"] if block["type"] == "tool_use")
    assert message["stop_reason"] == "tool_use"
    assert call["id"].startswith("toolu_")
    assert (call["name"], call["input"]) == ("get_weather", {"city": "北京"})


def test_a_story_is_streamed(curl: Any) -> None:
    printed = curl(
        """curl https://api.anthropic.com/v1/messages \\
     -H "x-api-key: $ANTHROPIC_API_KEY" \\
     -H "anthropic-version: 2023-06-01" \\
     -H "content-type: application/json" \\
     -d '{"model": "claude-sonnet-4-20250514", "max_tokens": 1024, "stream": true,
          "messages": [{"role": "user", "content": "Tell me a story"}]}'"""
    )

    names = [line.removeprefix("event: ") for line in printed.body.split("\n") if line.startswith("event: ")]
    assert printed.headers["content-type"].startswith("text/event-stream")
    assert list(dict.fromkeys(name for name in names if name != "ping")) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_a_calculator_gets_its_expression(curl: Any) -> None:
    printed = curl(
        """curl https://api.anthropic.com/v1/messages \\
     -H "x-api-key: $ANTHROPIC_API_KEY" \\
     -H "anthropic-version: 2023-06-01" \\
     -H "content-type: application/json" \\
     -d '{"model": "claude-sonnet-4-5", "max_tokens": 1024,
          "tools": [{"name": "calculator", "description": "Evaluates an expression",
                     "input_schema": {"type": "object", "properties": {"expression": {"type": "string"}},
                                      "required": ["expression"]}}],
          "messages": [{"role": "user", "content": "What is 15 * 7?"}]}'"""
    )

    call = next(block for block in printed.json["content"] if block["type"] == "tool_use")
    assert call["input"] == {"expression": "15 * 7"}


def test_a_model_is_looked_up(curl: Any) -> None:
    printed = curl(
        """curl https://api.anthropic.com/v1/models/claude-sonnet-4-20250514 \\
     -H "x-api-key: $ANTHROPIC_API_KEY" \\
     -H "anthropic-version: 2023-06-01" """
    )

    model = printed.json
    assert (model["type"], model["id"], model["display_name"]) == (
        "model",
        "claude-sonnet-4-20250514",
        "Claude Sonnet 4",
    )
    assert model["created_at"]


@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
def test_the_python_package_gets_a_message(shared_gateway: Gateway) -> None:
    import anthropic

    client = anthropic.Anthropic(api_key=shared_gateway.api_key, base_url=shared_gateway.address)
    message = client.messages.create(
        model="claude-sonnet-4-20250514",
        max_tokens=1024,
        messages=[{"role": "user", "content": "Hello, Claude"}],
    )

    assert message.type == "message"
    assert message.model == "claude-sonnet-4-20250514"
    assert message.content[0].type == "text"


@patient
def test_the_typescript_package_gets_a_message(shared_gateway: Gateway, installer: Installer) -> None:
    package = installer.node("typescript")

    message = package.run(
        """
        import Anthropic from "@anthropic-ai/sdk";

        const client = new Anthropic({ apiKey: process.env.API_KEY, baseURL: process.env.BASE_URL });
        const message = await client.messages.create({
          model: "claude-sonnet-4-20250514",
          max_tokens: 1024,
          messages: [{ role: "user", content: "Hello, Claude" }],
        });
        console.log(JSON.stringify(message));
        """,
        shared_gateway,
    )

    assert message["type"] == "message"
    assert message["content"][0]["type"] == "text"
    assert message["usage"]["output_tokens"] > 0


def test_a_body_without_messages_is_told_so(curl: Any) -> None:
    printed = curl(
        """curl https://api.anthropic.com/v1/messages \\
     -H "x-api-key: $ANTHROPIC_API_KEY" \\
     -H "anthropic-version: 2023-06-01" \\
     -H "content-type: application/json" \\
     -d '{"model": "claude-sonnet-4-5", "max_tokens": 1024}'"""
    )

    assert printed.status == 400
    assert printed.json["type"] == "error"
    assert printed.json["error"] == {"type": "invalid_request_error", "message": "messages: Field required"}
    assert printed.json["request_id"] == printed.headers["request-id"]
