"""The last `anthropic` package of the major version before: it sends its key as `x-api-key`."""

import pytest

from tests.gateway import Gateway
from tests.journeys.installing import Installer, PythonPackage, patient
from tests.journeys.rows import final_row

pytestmark = patient

START = """
import json, os
import anthropic

client = anthropic.Anthropic(api_key=os.environ["API_KEY"], base_url=os.environ["BASE_URL"])
hello = {"model": "claude-sonnet-4-6", "max_tokens": 256, "messages": [{"role": "user", "content": "Hello, Claude"}]}
"""


@pytest.fixture(scope="module")
def package(installer: Installer) -> PythonPackage:
    return installer.python("python_one_back")


def test_it_is_the_version_before_and_sends_the_key_its_own_way(
    package: PythonPackage, shared_gateway: Gateway
) -> None:
    seen = package.run(
        START + "print(json.dumps([anthropic.__version__, sorted(client.auth_headers)]))", shared_gateway
    )

    assert seen[0].startswith("1.")
    assert seen[1] == ["X-Api-Key"]


def test_create_and_stream_are_answered_and_metered(package: PythonPackage, shared_gateway: Gateway) -> None:
    seen = package.run(
        START
        + """
message = client.messages.create(**hello)
with client.messages.stream(**hello) as stream:
    streamed = stream.get_final_message()
raw = [event.type for event in client.messages.create(**hello, stream=True)]
print(json.dumps({
    "message": message.to_dict(), "request_id": message._request_id, "streamed": streamed.to_dict(), "raw": raw
}))
""",
        shared_gateway,
    )

    row = final_row(shared_gateway, seen["request_id"])
    assert seen["message"]["content"][0]["text"] == seen["streamed"]["content"][0]["text"]
    assert seen["streamed"]["stop_reason"] == "end_turn"
    assert (seen["raw"][0], seen["raw"][-1]) == ("message_start", "message_stop")
    assert (row["outcome"], row["output_tokens"]) == ("completed", seen["message"]["usage"]["output_tokens"])


def test_tools_and_the_asynchronous_client_work(package: PythonPackage, shared_gateway: Gateway) -> None:
    seen = package.run(
        START
        + """
import asyncio

schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
tool = {"name": "get_weather", "input_schema": schema}
hello["messages"] = [{"role": "user", "content": "What is the weather in Paris?"}]

async def ask():
    async with anthropic.AsyncAnthropic(api_key=client.api_key, base_url=client.base_url) as patient:
        return await patient.messages.create(**hello, tools=[tool])

print(json.dumps(asyncio.run(ask()).to_dict()))
""",
        shared_gateway,
    )

    call = next(block for block in seen["content"] if block["type"] == "tool_use")
    assert call["input"] == {"city": "Paris"}


def test_refusals_raise_their_classes(package: PythonPackage, shared_gateway: Gateway) -> None:
    seen = package.run(
        START
        + """
def refused(client, **changed):
    try:
        client.messages.create(**{**hello, **changed})
    except anthropic.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.request_id, error.body["request_id"]]

stranger = client.with_options(api_key="sk-toll-api01-wrong")
print(json.dumps([
    refused(stranger), refused(client, model="claude-nobody-9"), refused(client, messages=[]),
    refused(client, system="x" * (33 << 20)),
]))
""",
        shared_gateway,
    )

    assert [(name, status) for name, status, *_ in seen] == [
        ("AuthenticationError", 401),
        ("NotFoundError", 404),
        ("BadRequestError", 400),
        ("RequestTooLargeError", 413),
    ]
    for _, _, header, body in seen:
        assert header.startswith("req_")
        assert header == body
