"""The shapes of content blocks. What only echoes an earlier answer of the API is taken as it is."""

from typing import Any

from relay.upstreams.simulator.checks import schema
from relay.upstreams.simulator.checks.schema import Check
from relay.upstreams.simulator.counting import media

_ECHOED = (
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "container_upload",
    "mcp_tool_use",
    "mcp_tool_result",
    "mcp_tool_listing",
    "compaction",
    "fallback",
    "tool_addition",
    "tool_removal",
    "advisor_tool_result",
)

CACHE_CONTROL = schema.nullable(
    schema.record(
        {"type": schema.literal("ephemeral")},
        {"ttl": schema.nullable(schema.literal("5m", "1h")), "scope": schema.anything},
    )
)
_CITATIONS = schema.nullable(schema.record({}, {"enabled": schema.boolean}))
_TYPE: dict[str, Check] = {"type": schema.string}
_CACHED: dict[str, Check] = {"cache_control": CACHE_CONTROL}


def _base64(value: Any, path: str) -> None:
    schema.string(value, path)
    if not value or media.decoded(value) is None:
        schema.fail(path, "Input should be a valid base64-encoded string")


_URL_SOURCE = schema.record(_TYPE | {"url": schema.text(pattern="^https?://")})
_FILE_SOURCE = schema.record(_TYPE | {"file_id": schema.string})

_TEXT = schema.record(
    _TYPE | {"text": schema.string}, _CACHED | {"citations": schema.nullable(schema.items(schema.anything))}
)


def _inner(*names: str) -> Check:
    """Blocks inside another block: text and those named."""
    return schema.tagged({name: VARIANTS[name] for name in ("text", *names)})


VARIANTS: dict[str, Check] = {
    "text": _TEXT,
    "image": schema.record(
        _TYPE
        | {
            "source": schema.tagged(
                {
                    "base64": schema.record(
                        _TYPE | {"media_type": schema.literal(*media.IMAGE_TYPES), "data": _base64}
                    ),
                    "url": _URL_SOURCE,
                    "file": _FILE_SOURCE,
                }
            )
        },
        _CACHED | {"transformations": schema.anything},
    ),
    "search_result": schema.record(
        _TYPE
        | {"source": schema.string, "title": schema.string, "content": schema.items(schema.tagged({"text": _TEXT}))},
        _CACHED | {"citations": _CITATIONS},
    ),
    "thinking": schema.record(_TYPE | {"thinking": schema.string, "signature": schema.string}),
    "redacted_thinking": schema.record(_TYPE | {"data": schema.string}),
    "tool_use": schema.record(
        _TYPE | {"id": schema.string, "name": schema.string, "input": schema.dictionary},
        _CACHED | {"caller": schema.anything, "toolset_name": schema.anything},
    ),
}
VARIANTS["document"] = schema.record(
    _TYPE
    | {
        "source": schema.tagged(
            {
                "base64": schema.record(_TYPE | {"media_type": schema.literal("application/pdf"), "data": _base64}),
                "text": schema.record(_TYPE | {"media_type": schema.literal("text/plain"), "data": schema.string}),
                "content": schema.record(_TYPE | {"content": schema.text_or(schema.items(_inner("image")))}),
                "url": _URL_SOURCE,
                "file": _FILE_SOURCE,
            }
        )
    },
    _CACHED
    | {
        "title": schema.nullable(schema.string),
        "context": schema.nullable(schema.string),
        "citations": _CITATIONS,
    },
)

_OPEN_RECORD = schema.record(_TYPE, is_open=True)
VARIANTS["tool_result"] = schema.record(
    _TYPE | {"tool_use_id": schema.string},
    _CACHED
    | {
        "content": schema.text_or(
            schema.items(
                schema.tagged(
                    {name: VARIANTS[name] for name in ("text", "image", "search_result", "document")}
                    | dict.fromkeys(("tool_reference", "browser_state"), _OPEN_RECORD)
                )
            )
        ),
        "is_error": schema.boolean,
        "toolset_name": schema.anything,
    },
)
VARIANTS |= dict.fromkeys(_ECHOED, _OPEN_RECORD)

BLOCK = schema.tagged(VARIANTS)
SYSTEM_BLOCK = schema.tagged({"text": _TEXT})
