"""Thinking: which model takes which kind, what one sees of it, and that it must come back unchanged."""

from typing import Any

import pytest

from tests.simulator.grammar import frames
from tests.simulator.running import RunningSimulator, hello

ENABLED = {"type": "enabled", "budget_tokens": 1024}
ADAPTIVE = {"type": "adaptive"}
DISABLED = {"type": "disabled"}


def kinds(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in message["content"]]


def test_thinking_comes_first_and_is_counted(simulator: RunningSimulator) -> None:
    message = simulator.post(hello("Think", max_tokens=2048, thinking=ENABLED)).json()

    usage = message["usage"]
    assert kinds(message) == ["thinking", "text"]
    assert message["content"][0]["thinking"]
    assert message["content"][0]["signature"]
    assert 0 < usage["output_tokens_details"]["thinking_tokens"] < usage["output_tokens"]


def test_the_newest_models_think_unasked_and_show_only_a_signature(simulator: RunningSimulator) -> None:
    message = simulator.post(hello(model="claude-opus-5-5")).json()

    assert kinds(message) == ["thinking", "text"]
    assert message["content"][0]["thinking"] == ""
    assert message["usage"]["output_tokens_details"]["thinking_tokens"] > 0


def test_a_summary_can_be_asked_for(simulator: RunningSimulator) -> None:
    shown = {"type": "adaptive", "display": "summarized"}

    message = simulator.post(hello(model="claude-opus-5-5", thinking=shown)).json()

    assert message["content"][0]["thinking"]


def test_the_signature_is_the_last_delta_of_its_block(simulator: RunningSimulator) -> None:
    stream = simulator.post(hello("Think", max_tokens=2048, thinking=ENABLED, stream=True)).content

    deltas = [
        f.data["delta"]["type"] for f in frames(stream) if f.name == "content_block_delta" and not f.data["index"]
    ]
    assert deltas[-1] == "signature_delta"
    assert set(deltas[:-1]) == {"thinking_delta"}


@pytest.mark.parametrize(
    ("model", "thinking", "message"),
    [
        ("claude-opus-5-5", ENABLED, '"thinking.type.enabled" is not supported for this model. Use'),
        ("claude-opus-5-5", DISABLED, '"thinking.type.disabled" is not supported for this model. Use'),
        ("claude-opus-4-7", ENABLED, '"thinking.type.enabled" is not supported for this model. Use'),
        ("claude-sonnet-4-5", ADAPTIVE, "adaptive thinking is not supported on this model"),
        ("claude-3-opus-20240229", ENABLED, '"thinking.type.enabled" is not supported for this model.'),
        ("claude-opus-4-8", {"type": "between_tools"}, '"thinking.type.between_tools" is not supported'),
        ("claude-sonnet-4-5", {"type": "enabled"}, "thinking.enabled.budget_tokens: Field required"),
        (
            "claude-sonnet-4-5",
            {"type": "enabled", "budget_tokens": 10},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        ("claude-sonnet-4-5", ENABLED, "`max_tokens` must be greater than `thinking.budget_tokens`."),
    ],
)
def test_what_a_model_does_not_take_is_refused(
    simulator: RunningSimulator, model: str, thinking: dict[str, Any], message: str
) -> None:
    answer = simulator.post(hello(model=model, thinking=thinking))

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)


def test_between_tools_thinks_only_after_a_result(simulator: RunningSimulator) -> None:
    tools = [{"name": "t", "input_schema": {"type": "object"}}]
    body = hello("go", "claude-sonnet-5-5", thinking={"type": "between_tools"}, tools=tools)
    call = simulator.post(body).json()
    result = {"type": "tool_result", "tool_use_id": call["content"][0]["id"], "content": "done"}
    conversation = [
        *body["messages"],
        {"role": "assistant", "content": call["content"]},
        {"role": "user", "content": [result]},
    ]

    after = simulator.post({**body, "messages": conversation}).json()

    assert kinds(call) == ["tool_use"]
    assert kinds(after) == ["thinking", "text"]
    assert simulator.post({**body, "output_config": {"effort": "max"}}).status_code == 400


def test_thinking_comes_back_unchanged_or_not_at_all(simulator: RunningSimulator) -> None:
    first = simulator.post(hello("Think", max_tokens=2048, thinking=ENABLED)).json()["content"]
    bent = [{**first[0], "thinking": "something else"}, *first[1:]]

    def go_on(content: list[Any]) -> int:
        turns = [{"role": "user", "content": "Think"}, {"role": "assistant", "content": content}]
        again = hello(max_tokens=2048, thinking=ENABLED, messages=[*turns, {"role": "user", "content": "And?"}])
        return simulator.post(again).status_code

    assert (go_on(first), go_on(bent)) == (200, 400)
