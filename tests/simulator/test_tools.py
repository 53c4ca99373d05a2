"""Tool calls: which tool, with what input, and what comes after."""

from typing import Any

import pytest

from tests.simulator.running import RunningSimulator, hello

Json = dict[str, Any]


def tool(name: str, description: str = "", **properties: Json) -> Json:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"name": name, "description": description, "input_schema": schema}


TEXT = {"type": "string"}
WEATHER = tool("get_weather", "Current weather of a place", location=TEXT)
STOCK = tool("stock_price", "The price of a share", ticker=TEXT)
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def calls(simulator: RunningSimulator, text: str, tools: list[Json], **more: Any) -> list[str]:
    message = simulator.post(hello(text, tools=tools, **more)).json()
    return [block["name"] for block in message["content"] if block["type"] == "tool_use"]


def test_auto_calls_the_tool_that_fits(simulator: RunningSimulator) -> None:
    tools = [WEATHER, STOCK]

    assert calls(simulator, "What is the price of a share of ACME?", tools) == ["stock_price"]
    assert calls(simulator, "How is the weather in Rome?", tools) == ["get_weather"]


def test_an_agent_with_many_tools_gets_text_unless_it_names_one(simulator: RunningSimulator) -> None:
    tools = [tool(f"tool_{number}", "does everything", text=TEXT) for number in range(12)]

    assert calls(simulator, "hello there, everything does fine", tools) == []
    assert calls(simulator, "please use tool_7 now", tools) == ["tool_7"]


def test_tools_named_together_are_called_together(simulator: RunningSimulator) -> None:
    text, tools = "call get_weather and stock_price", [WEATHER, STOCK]

    assert calls(simulator, text, tools) == ["get_weather", "stock_price"]
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert calls(simulator, text, tools, tool_choice=choice) == ["get_weather"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "none"}, []),
        ({"type": "any"}, ["get_weather"]),
        ({"type": "tool", "name": "stock_price"}, ["stock_price"]),
    ],
)
def test_the_choice_is_obeyed(simulator: RunningSimulator, choice: Json, expected: list[str]) -> None:
    assert calls(simulator, "weather, please", [WEATHER, STOCK], tool_choice=choice) == expected


def test_a_tool_result_is_answered_with_text(simulator: RunningSimulator) -> None:
    call = simulator.post(hello("Weather in Rome?", tools=[WEATHER])).json()
    result = {"type": "tool_result", "tool_use_id": call["content"][0]["id"], "content": "18 degrees"}
    conversation = [
        {"role": "user", "content": "Weather in Rome?"},
        {"role": "assistant", "content": call["content"]},
        {"role": "user", "content": [result]},
    ]

    message = simulator.post(hello(tools=[WEATHER], messages=conversation)).json()

    assert call["content"][0]["input"] == {"location": "Rome"}
    assert message["stop_reason"] == "end_turn"
    assert "18 degrees" in message["content"][0]["text"]


def test_a_web_search_runs_within_the_answer(simulator: RunningSimulator) -> None:
    message = simulator.post(hello("latest news", tools=[SEARCH])).json()

    kinds = [block["type"] for block in message["content"]]
    assert kinds == ["server_tool_use", "web_search_tool_result", "text", "text"]
    assert message["content"][3]["citations"][0]["type"] == "web_search_result_location"
    assert message["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}
    assert message["stop_reason"] == "end_turn"


def test_a_tool_call_cut_by_max_tokens_says_so(simulator: RunningSimulator) -> None:
    message = simulator.post(hello("Weather in Rome?", tools=[WEATHER], max_tokens=16)).json()

    assert message["stop_reason"] == "max_tokens"
    assert message["content"][0]["input"] == {}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
        (
            {"tools": [{"name": "a b", "input_schema": {"type": "object"}}]},
            "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        ),
        ({"tools": [WEATHER, WEATHER]}, "tools: Tool names must be unique."),
        ({"tool_choice": {"type": "any"}}, "tool_choice: tool_choice may only be specified while providing tools"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "x"}}, "Tool 'x' not found in provided tools"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field required"),
    ],
)
def test_wrong_tools_are_refused(simulator: RunningSimulator, more: Json, message: str) -> None:
    answer = simulator.post(hello(**more))

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_a_call_without_its_result_is_refused(simulator: RunningSimulator) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
    conversation = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": "b"},
    ]

    error = simulator.post(hello(messages=conversation)).json()["error"]

    assert error["message"].startswith("messages.1: `tool_use` ids were found without `tool_result` blocks")


def test_newest_models_take_no_forced_choice(simulator: RunningSimulator) -> None:
    body = hello(model="claude-opus-5-5", tools=[WEATHER], tool_choice={"type": "any"})

    assert simulator.post(body).status_code == 400
