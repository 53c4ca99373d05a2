"""What a server tool leaves in an answer: the call, its result, and a text that cites it. All of it is made up."""

import base64
from typing import Any

from relay.upstreams.simulator.answers import words
from relay.upstreams.simulator.answers.blocks import Block, result_block, text_block, tool_block
from relay.upstreams.simulator.answers.tool_calls import ToolCall
from relay.upstreams.simulator.counting.tokens import pieces

RESULT_TOKENS = 1_200  # input that one result adds
URL = "https://example.com/simulator"
TITLE = "A page of the simulator"
PAGE = "The simulator is offline. This page stands for whatever a search would have found."


def run(call: ToolCall, *, result_bytes: int = 0) -> list[Block]:
    """The blocks of one call. `result_bytes` makes the result at least that long, in one line of a stream."""
    used = tool_block(call.name, call.input, prefix="srvtoolu", kind="server_tool_use")
    if call.name == "web_search":
        return [used, _search_result(used, result_bytes), *_cited(call.input["query"])]
    return [used, _fetch_result(used, call.input["url"]), text_block(pieces(f"The page says: {PAGE}"))]


def _search_result(used: Block, result_bytes: int) -> Block:
    result = {
        "type": "web_search_result",
        "url": URL,
        "title": TITLE,
        "encrypted_content": _sealed(PAGE) + "A" * result_bytes,
        "page_age": None,
    }
    return result_block({"type": "web_search_tool_result", "tool_use_id": used.shell["id"], "content": [result]})


def _fetch_result(used: Block, url: str) -> Block:
    document = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": PAGE},
        "title": TITLE,
        "citations": None,
    }
    content = {"type": "web_fetch_result", "url": url, "retrieved_at": "2026-01-02T03:04:05Z", "content": document}
    return result_block({"type": "web_fetch_tool_result", "tool_use_id": used.shell["id"], "content": content})


def _cited(query: str) -> list[Block]:
    citation: dict[str, Any] = {
        "type": "web_search_result_location",
        "url": URL,
        "title": TITLE,
        "encrypted_index": _sealed(query),
        "cited_text": PAGE,
    }
    return [text_block(pieces(words.searched(query))), text_block(pieces(PAGE), [citation])]


def _sealed(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()
