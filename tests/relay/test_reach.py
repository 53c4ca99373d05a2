"""What of a body can make it dear, however it is written."""

import json
from typing import Any

import pytest

from metering.limits.worst import Reach
from relay import reading

HELLO = {"role": "user", "content": "hello"}


def reach(**fields: Any) -> Reach:
    body = {"model": "claude-sonnet-5-5", "max_tokens": 7, "messages": [HELLO], **fields}
    return reading.read(json.dumps(body).encode()).reach


def said(*blocks: Any) -> dict[str, Any]:
    return {"messages": [HELLO, {"role": "user", "content": list(blocks)}]}


IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
CACHED = {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}}


def test_a_plain_body_reaches_its_size_and_its_answer() -> None:
    plain = reach()

    assert plain == Reach(size=plain.size, max_tokens=7)
    assert plain.size > 80


@pytest.mark.parametrize(
    "fields",
    [
        {"cache_control": {"type": "ephemeral"}},
        {"system": [CACHED]},
        {"tools": [{"name": "t", "input_schema": {}, "cache_control": {"type": "ephemeral"}}]},
        said(CACHED),
        said({"type": "tool_result", "tool_use_id": "t", "content": [CACHED]}),
        said({"type": "document", "source": {"type": "content", "content": [CACHED]}}),
    ],
)
def test_a_cache_write_is_seen_wherever_it_is_asked_for(fields: dict[str, Any]) -> None:
    assert reach(**fields).writes_cache


def test_an_escaped_spelling_is_the_same_field() -> None:
    body = b'{"model":"m","max_tokens":7,"messages":[{"role":"user","content":"x"}],"cache\\u005fcontrol":{}}'

    assert reading.read(body).reach.writes_cache


def test_images_are_counted_wherever_they_are() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [IMAGE, IMAGE]}

    assert reach(**said(IMAGE, result)).images == 3


def test_data_of_a_tool_is_no_block() -> None:
    used = {"type": "tool_use", "id": "t", "name": "n", "input": {"content": [IMAGE, {"type": "unheard_of"}]}}

    assert (reach(**said(used)).images, reach(**said(used)).has_foreign_content) == (0, False)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "container_upload", "file_id": "file_1"},
        {"type": "unheard_of"},
        {"type": {}},
        {"role": "user", "type": "unheard_of"},
    ],
)
def test_what_is_not_written_out_may_fill_the_window(block: dict[str, Any]) -> None:
    assert reach(**said(block)).has_foreign_content


def test_a_document_written_out_is_its_bytes() -> None:
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}

    assert not reach(**said(document)).has_foreign_content


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"tools": [{"type": "web_search_20260318", "name": "web_search"}]}, "tools"),
        ({"tools": [{"type": ["custom"]}]}, "tools"),
        ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
        ({"fallbacks": "default"}, "fallbacks"),
        ({"context_management": {"edits": [{"type": "compact_20260112"}]}}, "context_management"),
        ({"context_management": {"edits": [{"type": "clear_thinking_20251015"}]}}, ""),
        ({"mcp_servers": [], "tools": [{"type": "custom", "name": "t"}, {"name": "u"}]}, ""),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, ""),
    ],
)
def test_what_makes_the_upstream_go_on_is_named(fields: dict[str, Any], name: str) -> None:
    assert reach(**fields).unbounded == name


def test_speed_place_and_tools() -> None:
    tools = [{"type": "bash_20250124", "name": "bash"}, {"name": "u"}]
    asked = reach(speed="fast", inference_geo="global", tools=tools)

    assert (asked.is_fast, asked.is_global, asked.own_tools, asked.has_preamble) == (True, True, 1, True)
