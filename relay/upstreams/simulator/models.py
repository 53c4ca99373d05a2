"""`GET /v1/models` and `/v1/models/{id}`, from the catalogue."""

from datetime import date
from typing import Any

from metering.catalogue import MODELS, Model, find
from relay.upstreams.simulator.call import Call, Reply
from relay.upstreams.simulator.refusals import Refusal, invalid

LISTED = ("active", "deprecated")
LIFECYCLES = ("active", "deprecated", "retired")
DEFAULT_LIMIT = 20
LARGEST_LIMIT = 1_000


def list_models(call: Call) -> Reply:
    """Newest first, one page."""
    query = call.head.query
    lifecycles = query.get("lifecycle[]") or query.get("lifecycle") or LISTED
    for lifecycle in lifecycles:
        if lifecycle not in LIFECYCLES:
            invalid("lifecycle: Input should be 'active', 'deprecated' or 'retired'")
    models = sorted((m for m in MODELS if m.lifecycle in lifecycles), key=lambda model: model.created, reverse=True)
    page, has_more = _page(models, query)
    return Reply(
        {
            "data": [describe(model) for model in page],
            "has_more": has_more,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }
    )


def get_model(call: Call) -> Reply:
    """One model; an alias gives the model it stands for."""
    name = call.head.path.removeprefix("/v1/models/")
    model = find(name)
    if model is None:
        raise Refusal(404, f"model: {name}")
    return Reply(describe(model))


def describe(model: Model) -> dict[str, Any]:
    """ModelInfo."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "created_at": _day(model.created),
        "max_input_tokens": model.context_tokens,
        "max_tokens": model.max_output_tokens,
        "lifecycle": model.lifecycle,
        "deprecated_at": _day(model.deprecated_at),
        "retires_at": _day(model.retires_at),
        "line": model.line,
        "capabilities": _capabilities(model),
    }


def _capabilities(model: Model) -> dict[str, Any]:
    has_structured_outputs = model.generation >= (4, 5)
    return {
        "batch": _supported(True),
        "citations": _supported(True),
        "code_execution": _supported(model.generation >= (3, 5)),
        "image_input": _supported(True),
        "pdf_input": _supported(model.generation >= (3, 5)),
        "structured_outputs": _supported(has_structured_outputs),
        "context_management": {**_supported(model.generation >= (4, 0))},
        "effort": {**_supported(bool(model.efforts)), **{effort: _supported(True) for effort in model.efforts}},
        "thinking": {
            **_supported(model.thinking != {"disabled"}),
            "types": {
                kind: _supported(kind in model.thinking)
                for kind in ("adaptive", "between_tools", "disabled", "enabled")
            },
        },
        "server_tools": {**_supported(True), "web_search": _supported(True), "code_execution": _supported(False)},
    }


def _supported(value: bool) -> dict[str, Any]:
    return {"supported": value}


def _day(day: date | None) -> str | None:
    return f"{day.isoformat()}T00:00:00Z" if day else None


def _page(models: list[Model], query: dict[str, list[str]]) -> tuple[list[Model], bool]:
    limit = _limit(query)
    ids = [model.id for model in models]
    if after := query.get("after_id"):
        start = _position(ids, "after_id", after[0]) + 1
        return models[start : start + limit], start + limit < len(models)
    if before := query.get("before_id"):
        end = _position(ids, "before_id", before[0])
        return models[max(0, end - limit) : end], end > limit
    return models[:limit], limit < len(models)


def _limit(query: dict[str, list[str]]) -> int:
    text = query.get("limit", [str(DEFAULT_LIMIT)])[0]
    if not text.isdecimal():
        invalid("limit: Input should be a valid integer, unable to parse string as an integer")
    if not 1 <= int(text) <= LARGEST_LIMIT:
        invalid(f"limit: Input should be between 1 and {LARGEST_LIMIT}")
    return int(text)


def _position(ids: list[str], name: str, wanted: str) -> int:
    if wanted not in ids:
        invalid(f"{name}: `{wanted}` is not in the list")
    return ids.index(wanted)
