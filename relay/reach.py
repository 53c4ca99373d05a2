"""What of a body decides how dear its answer can get. Pure; a wrong type is left to the upstream to refuse."""

from typing import Any

from metering.limits.worst import Reach

_OWN_TOOLS = ("bash_", "text_editor_", "computer_", "browser_", "memory_")
"""Tools that run at the client, though the body only names them. All other types run at the upstream, in a loop."""

_WRITTEN_OUT = frozenset(
    {
        "text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "tool_result",
        "search_result",
        "server_tool_use",
        "web_search_tool_result",
        "web_search_result",
        "tool_search_tool_result",
        "tool_reference",
        "mcp_tool_use",
        "mcp_tool_result",
        "compaction",
    }
)
"""Kinds of blocks that count no more tokens than they have bytes."""

_LOOPS = ("mcp_servers", "fallbacks", "compaction")
"""Fields that make the upstream sample more than once."""


def reach(value: dict[str, Any], *, size: int, max_tokens: int) -> Reach:
    """Of a whole body. `size` in bytes."""
    tools = value.get("tools")
    tools = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    blocks = _Blocks()
    blocks.look_at(value.get("messages"))
    blocks.look_at(value.get("system"))
    return Reach(
        size=size,
        max_tokens=max_tokens,
        images=blocks.images,
        own_tools=sum(isinstance(tool.get("type"), str) and tool["type"].startswith(_OWN_TOOLS) for tool in tools),
        has_preamble=bool(tools) or bool(value.get("output_config")),
        has_foreign_content=blocks.has_foreign_content or bool(value.get("thread")),
        writes_cache=blocks.writes_cache or "cache_control" in value or any("cache_control" in tool for tool in tools),
        is_fast=value.get("speed") == "fast",
        is_global=value.get("inference_geo") == "global",
        unbounded=_unbounded(value, tools),
    )


def _unbounded(value: dict[str, Any], tools: list[dict[str, Any]]) -> str:
    for tool in tools:
        kind = tool.get("type") or "custom"
        if not isinstance(kind, str) or not (kind == "custom" or kind.startswith(_OWN_TOOLS)):
            return "tools"
    if _summarizes(value.get("context_management")):
        return "context_management"
    return next((name for name in _LOOPS if value.get(name)), "")


def _summarizes(management: object) -> bool:
    """Edits that only clear something sample nothing."""
    edits = management.get("edits") if isinstance(management, dict) else management
    if not isinstance(edits, list):
        return bool(edits)
    kinds = [edit.get("type") if isinstance(edit, dict) else None for edit in edits]
    return not all(isinstance(kind, str) and kind.startswith("clear_") for kind in kinds)


def _is_written_out(kind: object) -> bool:
    return isinstance(kind, str) and kind in _WRITTEN_OUT


class _Blocks:
    """What was met on a walk over messages and what is in them. Inputs of tools are data, not blocks."""

    def __init__(self) -> None:
        self.images = 0
        self.has_foreign_content = False
        self.writes_cache = False

    def look_at(self, whole: Any) -> None:
        """Messages or blocks, at whatever depth; without recursion, because a body may be deep."""
        left = [whole]
        while left:
            value = left.pop()
            if isinstance(value, list):
                left += value
            elif isinstance(value, dict):
                left += self._inside(value)

    def _inside(self, block: dict[str, Any]) -> list[Any]:
        """Takes note of one message or block; what in it must be looked at too."""
        kind = block.get("type")
        if "cache_control" in block:
            self.writes_cache = True
        if kind == "image":
            self.images += 1
        elif kind == "document":
            return self._document(block.get("source"))
        elif not _is_written_out(kind) and not (kind is None and "role" in block):
            self.has_foreign_content = True
        return [block.get("content")]

    def _document(self, source: Any) -> list[Any]:
        kind = source.get("type") if isinstance(source, dict) else None
        if kind == "content":
            return [source.get("content")]
        if kind != "text":  # a page of a PDF counts as an image too
            self.has_foreign_content = True
        return []
