"""`GET /v1/organizations/usage_report/messages`: tokens by time, and by whatever is asked for."""

from collections.abc import Mapping

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from metering import catalogue
from metering.api import openapi
from metering.api.parameters import Choice, Query, Texts
from metering.api.report_view import ENDING_AT, STARTING_AT, Item, ReportView
from metering.reports import Sums

_DIMENSIONS = (
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
_TIERS = ("standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount")

# parameter -> column; service accounts do not exist here, so nothing passes a filter for them
_FILTERS = {
    Texts("account_ids"): "account_id",
    Texts("api_key_ids"): "api_key_id",
    Texts("workspace_ids"): "workspace_id",
    Texts("models", description="Ids or aliases."): "model",
    Texts("context_window", ("0-200k", "200k-1M")): "context_window",
    Texts("service_tiers", _TIERS): "service_tier",
    Texts("inference_geos", ("global", "us", "not_available")): "inference_geo",
    Texts("speeds", ("standard", "fast")): "speed",
}
_SERVICE_ACCOUNTS = Texts("service_account_ids")


class UsageReport(ReportView):
    bucket_width = Choice("bucket_width", ("1d", "1h", "1m"))
    group_by = Texts("group_by", _DIMENSIONS)

    @extend_schema(
        operation_id="usage_report_messages",
        summary="Tokens by time, key, workspace, model and more",
        description="One bucket for each interval, also where nothing was used. A dimension not grouped by is null.",
        parameters=openapi.parameters(STARTING_AT, ENDING_AT, bucket_width, group_by, *_FILTERS, _SERVICE_ACCOUNTS),
        responses={200: openapi.USAGE},
    )
    def get(self, request: Request) -> Response:
        return self.answer(request)

    def dimensions(self, query: Query) -> tuple[str, ...]:
        return tuple(name for name in self.group_by.read(query) if name != "service_account_id")

    def filters(self, query: Query) -> Mapping[str, list[str]]:
        given = {column: parameter.read(query) for parameter, column in _FILTERS.items()}
        given["model"] = [_model_id(name) for name in given["model"]]
        wanted = {column: values for column, values in given.items() if values}
        if _SERVICE_ACCOUNTS.read(query):
            wanted["account_id"] = []
        return wanted

    def results(self, lines: list[Sums], grouped_by: list[str]) -> list[Item]:
        return [self._item(line) for line in lines if not line.is_empty]

    def _item(self, line: Sums) -> Item:
        group: dict[str, str | None] = {name: line.group.get(name) or None for name in _DIMENSIONS}
        return {
            "uncached_input_tokens": line.uncached_input_tokens,
            "cache_creation": {
                "ephemeral_5m_input_tokens": line.cache_creation_5m_input_tokens,
                "ephemeral_1h_input_tokens": line.cache_creation_1h_input_tokens,
            },
            "cache_read_input_tokens": line.cache_read_input_tokens,
            "output_tokens": line.output_tokens,
            "server_tool_use": {"web_search_requests": line.web_search_requests},
            **group,
            "workspace_id": self.workspace(line),
        }


def _model_id(name: str) -> str:
    known = catalogue.find(name)
    return known.id if known else name
