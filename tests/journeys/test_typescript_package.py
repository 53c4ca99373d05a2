"""The `@anthropic-ai/sdk` package, the newest and the major version before, with nothing set but address and key."""

import pytest

from tests.gateway import Gateway
from tests.journeys.installing import Installer, NodePackage, patient
from tests.journeys.rows import final_row

pytestmark = patient

START = """
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ apiKey: process.env.API_KEY, baseURL: process.env.BASE_URL });
const hello = {
  model: "claude-sonnet-4-6",
  max_tokens: 256,
  messages: [{ role: "user", content: "Hello, Claude" }],
};
"""


@pytest.fixture(scope="module", params=["typescript", "typescript_one_back"])
def package(request: pytest.FixtureRequest, installer: Installer) -> NodePackage:
    return installer.node(request.param)


def test_create_and_stream_are_answered_and_metered(package: NodePackage, shared_gateway: Gateway) -> None:
    seen = package.run(
        START
        + """
const message = await client.messages.create(hello);
const streamed = await client.messages.stream(hello).finalMessage();
const raw = [];
for await (const event of await client.messages.create({ ...hello, stream: true })) raw.push(event.type);
console.log(JSON.stringify({ message, id: message._request_id, streamed, raw }));
""",
        shared_gateway,
    )

    row = final_row(shared_gateway, seen["id"])
    assert seen["message"]["content"][0]["text"] == seen["streamed"]["content"][0]["text"]
    assert seen["streamed"]["stop_reason"] == "end_turn"
    assert (seen["raw"][0], seen["raw"][-1]) == ("message_start", "message_stop")
    assert (row["outcome"], row["output_tokens"]) == ("completed", seen["message"]["usage"]["output_tokens"])


def test_a_tool_is_called(package: NodePackage, shared_gateway: Gateway) -> None:
    seen = package.run(
        START
        + """
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const message = await client.messages.create({
  ...hello,
  tools: [{ name: "get_weather", input_schema: schema }],
  messages: [{ role: "user", content: "What is the weather in Paris?" }],
});
console.log(JSON.stringify(message));
""",
        shared_gateway,
    )

    call = next(block for block in seen["content"] if block["type"] == "tool_use")
    assert call["input"] == {"city": "Paris"}


def test_refusals_raise_their_classes(package: NodePackage, shared_gateway: Gateway) -> None:
    seen = package.run(
        START
        + """
const refused = async (client, changed) => {
  try {
    await client.messages.create({ ...hello, ...changed });
  } catch (error) {
    const bad = [Anthropic.AuthenticationError, Anthropic.NotFoundError, Anthropic.BadRequestError];
    const kind = bad.findIndex((each) => error instanceof each);
    return [kind, error.status, error.requestID, error.error?.request_id];
  }
};
const stranger = new Anthropic({ apiKey: "sk-toll-api01-wrong", baseURL: process.env.BASE_URL });
console.log(JSON.stringify([
  await refused(stranger, {}),
  await refused(client, { model: "claude-nobody-9" }),
  await refused(client, { messages: [] }),
  await refused(client, { system: "x".repeat(33 << 20) }),
]));
""",
        shared_gateway,
    )

    assert [status for _, status, *_ in seen] == [401, 404, 400, 413]
    assert [kind for kind, *_ in seen[:3]] == [0, 1, 2]
    for _, _, header, body in seen:
        assert header.startswith("req_")
        assert header == body


def test_a_cut_stream_never_looks_complete(package: NodePackage, shared_gateway: Gateway) -> None:
    seen = package.run(
        START
        + """
const headers = { "x-tollgate-simulator-fault": "cut-after-events=5" };
try {
  await client.messages.stream(hello, { headers }).finalMessage();
  console.log("null");
} catch (error) {
  console.log(JSON.stringify([error instanceof Anthropic.APIError, String(error.error?.error?.type)]));
}
""",
        shared_gateway,
    )

    assert seen == [True, "api_error"]
