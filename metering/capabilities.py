"""What a model can do, as `capabilities` of the Models API tells it. Pure; follows from the catalogue."""

from typing import Any

from metering.catalogue import Model

_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_THINKING_TYPES = ("adaptive", "between_tools", "disabled", "enabled")


def capabilities(model: Model) -> dict[str, Any]:
    """Every key is always there. The generation decides; where a generation differs by line, the line as well."""
    generation = model.generation
    runs_code = generation >= (3, 7)
    searches = generation >= (3, 5)
    edits_context = generation >= (4, 0)
    compacts = generation >= (4, 6)
    return {
        "batch": _supported(True),
        "citations": _supported(model.id != "claude-3-haiku-20240307"),
        "code_execution": _supported(generation >= (4, 6)),
        "context_management": {
            "supported": edits_context,
            "clear_thinking_20251015": _supported(edits_context),
            "clear_tool_uses_20250919": _supported(edits_context),
            "compact_20260112": _supported(compacts),
        },
        "effort": {
            "supported": bool(model.efforts),
            **{effort: _supported(effort in model.efforts) for effort in _EFFORTS},
        },
        "image_input": _supported(True),
        "pdf_input": _supported(generation >= (3, 5)),
        "server_tools": {
            "supported": runs_code or searches,
            "code_execution": _supported(runs_code),
            "web_search": _supported(searches),
        },
        "structured_outputs": _supported(generation >= (4, 5) or model.id == "claude-opus-4-1-20250805"),
        "thinking": {
            "supported": bool(model.thinking - {"disabled"}),
            "types": {kind: _supported(kind in model.thinking) for kind in _THINKING_TYPES},
        },
    }


def _supported(is_so: bool) -> dict[str, bool]:
    return {"supported": is_so}
