"""Messages: length, stops, streams that carry what JSON carries, and every field of usage."""

import json

import jsonschema
import pytest

from tests.simulator.grammar import frames, message_of
from tests.simulator.running import RunningSimulator, hello

USAGE_FIELDS = {
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens",
    "output_tokens_details",
    "service_tier",
    "inference_geo",
    "speed",
}


def without_ids(message: dict) -> dict:
    content = [{key: value for key, value in block.items() if not key.endswith("id")} for block in message["content"]]
    return {**message, "id": "", "content": content}


def test_the_same_body_gets_the_same_answer(simulator: RunningSimulator) -> None:
    first, second = (simulator.post(hello("Same?")).json() for _ in range(2))

    assert first["id"] != second["id"]
    assert without_ids(first) == without_ids(second)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"max_tokens": 7},
        {"stop_sequences": ["simulator"]},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048},
        {"tools": [{"name": "lookup", "input_schema": {"type": "object", "properties": {"key": {"type": "string"}}}}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"max_tokens": 0},
    ],
)
def test_a_stream_carries_the_same_message_as_json(simulator: RunningSimulator, more: dict) -> None:
    whole = simulator.post(hello("Say it twice", **more)).json()

    streamed = message_of(simulator.post(hello("Say it twice", stream=True, **more)).content)

    assert without_ids(streamed) == without_ids(whole)


def test_usage_has_every_field(simulator: RunningSimulator) -> None:
    assert set(simulator.usage(hello())) == USAGE_FIELDS


def test_max_tokens_is_exact(simulator: RunningSimulator) -> None:
    message = simulator.post(hello("Count", max_tokens=5)).json()

    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == 5
    assert message["content"][0]["text"] == "Hello! This is Tollgate"


def test_max_tokens_0_only_warms_the_cache(simulator: RunningSimulator) -> None:
    message = simulator.post(hello("Warm", max_tokens=0)).json()

    assert (message["content"], message["stop_reason"], message["usage"]["output_tokens"]) == ([], "max_tokens", 0)


def test_a_stop_sequence_ends_the_text_before_it(simulator: RunningSimulator) -> None:
    message = simulator.post(hello("x", stop_sequences=["never there", "built-in"])).json()

    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "built-in")
    assert message["content"][0]["text"] == "Hello! This is Tollgate's "


def test_the_length_of_an_answer_can_be_asked_for(simulator: RunningSimulator) -> None:
    answer = simulator.ask("output-tokens=300; tokens-per-event=10", hello(stream=True))

    message = message_of(answer.content)
    assert message["usage"]["output_tokens"] == 300
    assert sum(frame.name == "content_block_delta" for frame in frames(answer.content)) == 30


def test_a_longer_prompt_costs_more_and_newer_models_count_more(simulator: RunningSimulator) -> None:
    short = simulator.usage(hello("word " * 10))["input_tokens"]
    long = simulator.usage(hello("word " * 1_000))["input_tokens"]
    newer = simulator.usage(hello("word " * 1_000, "claude-opus-5"))["input_tokens"]

    assert short < 25
    assert 1_000 < long < 1_500
    assert newer == long * 13 // 10


def test_count_tokens_says_what_the_message_costs(simulator: RunningSimulator) -> None:
    body = hello("How much?", system="Be brief.", tools=[{"name": "t", "input_schema": {"type": "object"}}])

    counted = simulator.count({key: value for key, value in body.items() if key != "max_tokens"})

    assert counted.json() == {"input_tokens": simulator.usage(body)["input_tokens"]}


def test_an_old_model_continues_what_was_begun(simulator: RunningSimulator) -> None:
    begun = [{"role": "user", "content": "Go on"}, {"role": "assistant", "content": "Well,"}]

    text = simulator.post(hello(model="claude-sonnet-4-5", messages=begun)).json()["content"][0]["text"]

    assert "You wrote" not in text


def test_structured_output_fits_its_schema(simulator: RunningSimulator) -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "minimum": 1},
            "mood": {"enum": ["sunny", "rainy"]},
        },
        "required": ["city", "days", "mood"],
        "additionalProperties": False,
    }

    message = simulator.post(
        hello("Is it rainy in Oslo for 3 days?", output_config={"format": {"type": "json_schema", "schema": schema}})
    ).json()

    value = json.loads(message["content"][0]["text"])
    jsonschema.validate(value, schema)
    assert value == {"city": "Oslo", "days": 3, "mood": "rainy"}


def test_where_and_how_fast_it_ran_is_in_usage(simulator: RunningSimulator) -> None:
    body = hello(model="claude-opus-5-5", inference_geo="us", speed="fast", service_tier="standard_only")

    usage = simulator.usage(body)

    assert (usage["inference_geo"], usage["speed"], usage["service_tier"]) == ("us", "fast", "standard")
    assert simulator.usage(hello(model="claude-opus-4-6", speed="fast"))["speed"] == "standard"


def test_a_refusal_is_a_200_with_a_reason(simulator: RunningSimulator) -> None:
    message = simulator.ask("stop-reason=refusal", hello()).json()

    assert (message["content"], message["stop_reason"]) == ([], "refusal")
    assert message["stop_details"]["type"] == "refusal"


def test_the_model_is_named_by_its_real_id(simulator: RunningSimulator) -> None:
    assert simulator.post(hello(model="claude-sonnet-4-5")).json()["model"] == "claude-sonnet-4-5-20250929"


def test_what_a_coding_agent_sends_is_understood(simulator: RunningSimulator) -> None:
    mark = {"type": "ephemeral", "ttl": "1h", "scope": "global"}
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {}}
    names = ("Bash", "Edit", "Glob", "Grep", "Read", "Task", "WebFetch", "WebSearch", "Write")
    tools = [
        {"name": name, "description": "d", "input_schema": schema, "eager_input_streaming": True} for name in names
    ]
    reminder = {"type": "text", "text": "<system-reminder>Use Read before Edit.</system-reminder>"}
    body = hello(
        [reminder, {"type": "text", "text": "say hi", "cache_control": mark}],
        "claude-opus-4-8",
        max_tokens=32_000,
        stream=True,
        system=[{"type": "text", "text": "You are an agent."}, {"type": "text", "text": "x", "cache_control": mark}],
        tools=tools,
        metadata={"user_id": json.dumps({"device_id": "0" * 64, "session_id": "1" * 36})},
        thinking={"type": "adaptive", "display": "summarized"},
        output_config={"effort": "medium"},
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    )
    betas = (
        "claude-code-20250219,context-management-2025-06-27,effort-2025-11-24,interleaved-thinking-2025-05-14,"
        "mid-conversation-system-2026-04-07,prompt-caching-scope-2026-01-05,thinking-token-count-2026-05-13"
    )

    message = message_of(simulator.post(body, anthropic_beta=betas).content)

    assert [block["type"] for block in message["content"]] == ["thinking", "text"]
    assert message["context_management"] == {"applied_edits": []}
