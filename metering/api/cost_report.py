"""`GET /v1/organizations/cost_report`: dollars by day, in cents as exact decimal strings."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from metering import catalogue
from metering.api import openapi
from metering.api.parameters import Choice, Query, Texts
from metering.api.report_view import ENDING_AT, STARTING_AT, Item, ReportView
from metering.money import cents
from metering.reports import Sums

_DESCRIBED = ("model", "service_tier", "context_window", "inference_geo")

# column of the ledger, token_type, words for the description
_TOKEN_COSTS = (
    ("uncached_input_picos", "uncached_input_tokens", "Input Tokens"),
    ("cache_creation_5m_picos", "cache_creation.ephemeral_5m_input_tokens", "Input Tokens, Cache Write 5m"),
    ("cache_creation_1h_picos", "cache_creation.ephemeral_1h_input_tokens", "Input Tokens, Cache Write 1h"),
    ("cache_read_picos", "cache_read_input_tokens", "Input Tokens, Cache Read"),
    ("output_picos", "output_tokens", "Output Tokens"),
)


class Kind(NamedTuple):
    """What an amount was for. All of it is null unless the report is grouped by description."""

    description: str | None = None
    cost_type: str | None = None
    model: str | None = None
    token_type: str | None = None
    service_tier: str | None = None
    context_window: str | None = None
    inference_geo: str | None = None


class CostReport(ReportView):
    bucket_width = Choice("bucket_width", ("1d",))
    group_by = Texts("group_by", ("workspace_id", "description"))

    @extend_schema(
        operation_id="cost_report",
        summary="Costs by day, workspace and kind",
        description="One bucket for each day, also where nothing was spent. Amounts are exact, in cents.",
        parameters=openapi.parameters(STARTING_AT, ENDING_AT, bucket_width, group_by),
        responses={200: openapi.COSTS},
    )
    def get(self, request: Request) -> Response:
        return self.answer(request)

    def dimensions(self, query: Query) -> tuple[str, ...]:
        asked = self.group_by.read(query)
        workspace = ("workspace_id",) if "workspace_id" in asked else ()
        return (*workspace, *_DESCRIBED, "speed") if "description" in asked else workspace

    def results(self, lines: list[Sums], grouped_by: list[str]) -> list[Item]:
        split = _kinds if "description" in grouped_by else _whole
        amounts: dict[tuple[str | None, Kind], int] = defaultdict(int)
        for line in lines:
            for kind, picos in split(line):
                amounts[self.workspace(line), kind] += picos
        return [
            {"amount": cents(picos), "currency": "USD", "workspace_id": workspace, **kind._asdict()}
            for (workspace, kind), picos in amounts.items()
            if picos
        ]


def _whole(line: Sums) -> Iterator[tuple[Kind, int]]:
    yield Kind(), line.cost_picos


def _kinds(line: Sums) -> Iterator[tuple[Kind, int]]:
    """The costs of a line, each with what it was for. What does not hang on tokens has only a description."""
    group = {name: line.group[name] or None for name in _DESCRIBED}
    for column, token_type, words in _TOKEN_COSTS:
        description = f"{_display_name(line.group['model'])} Usage - {words}{_qualifiers(line.group)}"
        yield Kind(description, "tokens", token_type=token_type, **group), getattr(line, column)
    yield Kind("Web Search Usage", "web_search"), line.web_search_picos


def _qualifiers(group: Mapping[str, str]) -> str:
    """What makes the price another one: batch, fast, US."""
    words = {"Batch": group["service_tier"] == "batch", "Fast": group["speed"] == "fast"}
    words["US"] = group["inference_geo"] == "us"
    return "".join(f", {word}" for word, applies in words.items() if applies)


def _display_name(model: str) -> str:
    known = catalogue.find(model)
    return known.display_name if known else model
