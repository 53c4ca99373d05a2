"""How the reports look in the OpenAPI document: parameters as they describe themselves, answers as JSON schemas."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from metering.api.parameters import Choice, Moment, Texts

_COMMON = (
    OpenApiParameter("limit", int, description="Buckets on a page; default and maximum depend on the width."),
    OpenApiParameter("page", str, description="`next_page` of the page before."),
    OpenApiParameter(
        "include_simulated",
        bool,
        description="Count answers of the simulator too. Without it they count until a real upstream exists.",
    ),
    OpenApiParameter(
        "anthropic-version", str, OpenApiParameter.HEADER, required=True, enum=["2023-06-01", "2026-10-21"]
    ),
)
_TEXT: dict[str, Any] = {"type": "string", "nullable": True}
_COUNT: dict[str, Any] = {"type": "integer"}


def parameters(required: Moment, *others: Texts | Choice | Moment) -> list[OpenApiParameter]:
    return [_parameter(required, is_required=True), *(_parameter(each) for each in others), *_COMMON]


def _parameter(described: Texts | Choice | Moment, *, is_required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(
        described.wire_name, described.schema(), description=described.description, required=is_required
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _report(item: dict[str, Any]) -> dict[str, Any]:
    bucket = {
        "starting_at": {"type": "string", "format": "date-time", "example": "2026-11-20T00:00:00Z"},
        "ending_at": {"type": "string", "format": "date-time", "example": "2026-11-21T00:00:00Z"},
        "results": {"type": "array", "items": item},
    }
    return _object(
        {
            "data": {"type": "array", "items": _object(bucket)},
            "has_more": {"type": "boolean"},
            "next_page": _TEXT,
        }
    )


def _texts(names: Iterable[str]) -> dict[str, Any]:
    return dict.fromkeys(names, _TEXT)


USAGE = _report(
    _object(
        {
            "uncached_input_tokens": _COUNT,
            "cache_creation": _object({"ephemeral_5m_input_tokens": _COUNT, "ephemeral_1h_input_tokens": _COUNT}),
            "cache_read_input_tokens": _COUNT,
            "output_tokens": _COUNT,
            "server_tool_use": _object({"web_search_requests": _COUNT}),
            **_texts(
                (
                    "account_id",
                    "api_key_id",
                    "context_window",
                    "inference_geo",
                    "model",
                    "service_account_id",
                    "service_tier",
                    "speed",
                    "workspace_id",
                )
            ),
        }
    )
)

COSTS = _report(
    _object(
        {
            "amount": {"type": "string", "description": "Cents, as an exact decimal.", "example": "9.6925"},
            "currency": {"type": "string", "enum": ["USD"]},
            **_texts(
                (
                    "workspace_id",
                    "description",
                    "cost_type",
                    "model",
                    "token_type",
                    "service_tier",
                    "context_window",
                    "inference_geo",
                )
            ),
        }
    )
)
