"""Which tools an answer calls, and with what input.

With `tool_choice` auto: after a tool result none. Up to eight tools: the one that fits the question best, whether or
not a model would have needed it, so that one can try tools. More than that is an agent at work: then only tools that
the question names, because an agent runs what it is told. Tools named together are called together, unless
`disable_parallel_tool_use`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relay.upstreams.simulator.answers import phrases
from relay.upstreams.simulator.answers.conversation import Conversation
from relay.upstreams.simulator.answers.samples import sample
from relay.upstreams.simulator.counting.prompt import Body

FEW_TOOLS = 8
CALLABLE_SERVER_TOOLS = ("web_search", "web_fetch")

_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]+")
_COMMON = frozenset(["the", "and", "for", "get", "this", "that", "with", "what", "from", "you", "are", "tool", "use"])
_TRANSLATED = {
    "天气": "weather",
    "计算": "calculator",
    "搜索": "search",
    "时间": "time",
    "翻译": "translate",
    "新闻": "news",
}
_INPUTS = {
    "bash": {"command": "echo 'hello from the simulator'"},
    "text_editor": {"command": "view", "path": "."},
    "memory": {"command": "view", "path": "/memories"},
    "computer": {"action": "screenshot"},
}

Tool = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of the caller's tool, or of a server tool, which runs within the answer."""

    name: str
    input: Any
    runs_here: bool


def choose_calls(body: Body, conversation: Conversation) -> list[ToolCall]:
    """The calls of this answer; none means text."""
    choice = body.get("tool_choice") or {"type": "auto"}
    tools = [tool for tool in body.get("tools") or () if _is_callable(tool)]
    if not tools or choice["type"] == "none":
        return []
    if choice["type"] == "tool":
        chosen = [tool for tool in tools if tool["name"] == choice["name"]]
    elif choice["type"] == "any":
        chosen = _named(tools, conversation.question) or [_best(tools, conversation.question)]
    else:
        chosen = _freely_chosen(tools, conversation)
    if choice.get("disable_parallel_tool_use"):
        chosen = chosen[:1]
    return [_call(tool, conversation.question) for tool in chosen]


def _is_callable(tool: Tool) -> bool:
    if not tool.get("name") or tool.get("defer_loading"):
        return False
    return _is_custom(tool) or tool["name"] in CALLABLE_SERVER_TOOLS or _client_kind(tool) != ""


def _freely_chosen(tools: Sequence[Tool], conversation: Conversation) -> list[Tool]:
    if conversation.tool_results is not None:
        return []
    named = _named(tools, conversation.question)
    return named or ([_best(tools, conversation.question)] if len(tools) <= FEW_TOOLS else [])


def _named(tools: Sequence[Tool], question: str) -> list[Tool]:
    """Tools whose very name is a word of the question."""
    return [tool for tool in tools if re.search(rf"(?<![\w-]){re.escape(tool['name'])}(?![\w-])", question)]


def _best(tools: Sequence[Tool], question: str) -> Tool:
    """The tool that shares most words with the question; the first of equals."""
    asked = _words(question) | {word for ideographs, word in _TRANSLATED.items() if ideographs in question}
    has_sum = bool(phrases.arithmetic(question))
    return max(tools, key=lambda tool: _fit(tool, asked, has_sum=has_sum))


def _fit(tool: Tool, asked: set[str], *, has_sum: bool) -> int:
    name = _words(tool["name"].replace("_", " ").replace("-", " "))
    about = _words(tool.get("description") or "")
    fit = 3 * len(asked & name) + len(asked & about)
    return fit + 4 * (has_sum and "expression" in ((tool.get("input_schema") or {}).get("properties") or {}))


def _words(text: str) -> set[str]:
    """Lower-case words of three letters and more, and every two neighbouring ideographs."""
    words = set(re.findall(r"[a-z]{3,}", text.lower())) - _COMMON
    for run in _IDEOGRAPHS.findall(text):
        words |= {run[start : start + 2] for start in range(len(run) - 1)}
    return words


def _call(tool: Tool, question: str) -> ToolCall:
    if _is_custom(tool):
        return ToolCall(tool["name"], sample(tool["input_schema"], question), runs_here=False)
    if tool["name"] == "web_search":
        return ToolCall("web_search", {"query": phrases.for_property("query", question)}, runs_here=True)
    if tool["name"] == "web_fetch":
        return ToolCall("web_fetch", {"url": phrases.address(question)}, runs_here=True)
    return ToolCall(tool["name"], _INPUTS[_client_kind(tool)], runs_here=False)


def _is_custom(tool: Tool) -> bool:
    return tool.get("type") in (None, "custom")


def _client_kind(tool: Tool) -> str:
    """`bash` of `bash_20250124`; empty for what the caller does not run itself."""
    return next((kind for kind in _INPUTS if re.fullmatch(rf"{kind}_\d+", tool.get("type") or "")), "")
