"""The shapes of tools and of the choice among them."""

from typing import Any

from relay.upstreams.simulator.checks import schema
from relay.upstreams.simulator.checks.content import CACHE_CONTROL
from relay.upstreams.simulator.checks.schema import Check

# Tools that the API defines, newest first, with the name that each must carry; "" where it carries none.
NAMED_TYPES = {
    "bash": ("bash_20250124", "bash_20241022"),
    "str_replace_based_edit_tool": ("text_editor_20250728", "text_editor_20250429"),
    "str_replace_editor": ("text_editor_20250124", "text_editor_20241022"),
    "memory": ("memory_20250818",),
    "computer": ("computer_20251124", "computer_20250124", "computer_20241022"),
    "web_search": ("web_search_20260318", "web_search_20260209", "web_search_20250305"),
    "web_fetch": ("web_fetch_20260318", "web_fetch_20260309", "web_fetch_20260209", "web_fetch_20250910"),
    "code_execution": (
        "code_execution_20260521",
        "code_execution_20260120",
        "code_execution_20250825",
        "code_execution_20250522",
    ),
    "tool_search_tool_regex": ("tool_search_tool_regex_20251119", "tool_search_tool_regex"),
    "tool_search_tool_bm25": ("tool_search_tool_bm25_20251119", "tool_search_tool_bm25"),
    "advisor": ("advisor_20260301",),
    "": ("computer_toolset_20260801", "browser_toolset_20260801", "mcp_toolset"),
}
SERVER_TOOLS = frozenset(
    {"web_search", "web_fetch", "code_execution", "tool_search_tool_regex", "tool_search_tool_bm25", "advisor"}
)

_TYPE: dict[str, Check] = {"type": schema.string}
_CUSTOM = schema.record(
    {
        "name": schema.text(pattern="^[a-zA-Z0-9_-]{1,128}$"),
        "input_schema": schema.record({"type": schema.literal("object")}, is_open=True),
    },
    {
        "type": schema.anything,
        "description": schema.nullable(schema.string),
        "strict": schema.nullable(schema.boolean),
        "defer_loading": schema.nullable(schema.boolean),
        "eager_input_streaming": schema.nullable(schema.boolean),
        "input_examples": schema.nullable(schema.items(schema.dictionary)),
        "allowed_callers": schema.nullable(schema.items(schema.string)),
        "cache_control": CACHE_CONTROL,
    },
)


def _typed(name: str) -> Check:
    required: dict[str, Check] = _TYPE | ({"name": schema.literal(name)} if name else {})
    return schema.record(required, {"cache_control": CACHE_CONTROL}, is_open=True)


_TYPED = schema.tagged({kind: _typed(name) for name, kinds in NAMED_TYPES.items() for kind in kinds})


def TOOL(value: Any, path: str) -> None:  # noqa: N802 - a shape like the others
    """A tool of the caller (no type, or `custom`) or one that the API defines."""
    if isinstance(value, dict) and value.get("type") in (None, "custom"):
        _CUSTOM(value, f"{path}.custom")
    else:
        _TYPED(value, path)


_PARALLEL: dict[str, Check] = {"disable_parallel_tool_use": schema.nullable(schema.boolean)}
TOOL_CHOICE = schema.tagged(
    {
        "auto": schema.record(_TYPE, _PARALLEL),
        "any": schema.record(_TYPE, _PARALLEL),
        "tool": schema.record(_TYPE | {"name": schema.string}, _PARALLEL),
        "none": schema.record(_TYPE),
    }
)
