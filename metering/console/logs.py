"""The Logs room: single requests, newest first, and everything the ledger knows of one."""

import json
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apikeys.console.frame import base_url, room
from apikeys.console.place import Place
from apikeys.console.snippets import curl
from apikeys.models import ApiKey
from metering.console.bill import bill
from metering.console.log_filters import RANGES, STATUSES, cursor, read_filters
from metering.console.names import names
from metering.models import UsageRecord

PAGE = 50
MOST_KEYS = 200
LATE = ("usage", "user_agent", "upstream_request_id", "message_id")
"""Columns that only the page of one request shows."""


@room("logs")
def table(request: HttpRequest, place: Place) -> HttpResponse:
    filters = read_filters(request.GET, timezone.now())
    found = list(filters.apply(latest(place)).defer(*LATE)[: PAGE + 1])
    records, is_more = found[:PAGE], len(found) > PAGE
    keys = _keys(place)
    missing = ({one.api_key_id for one in records} | {filters.key}) - dict(keys).keys()
    return render(
        request,
        "metering/logs.html",
        {
            "filters": filters,
            "ranges": {name: label for name, (label, _) in RANGES.items()},
            "statuses": {name: label for name, (label, _) in STATUSES.items()},
            "records": records,
            "keys": keys,
            "key_names": {**dict(keys), **names(place, "api_key_id", missing)},
            "older": _address(request, before=cursor(records[-1])) if is_more else "",
            "newest": _address(request),
            "curl": curl(base_url(request), "YOUR_KEY"),
            "as_of": timezone.now(),
        },
    )


@room("logs")
def one(request: HttpRequest, place: Place, request_id: str) -> HttpResponse:
    """One request: its attempts in order, the last one being what the caller got."""
    attempts = list(_visible(place).filter(request_id=request_id).order_by("started_at", "attempt"))
    if not attempts:
        raise Http404
    final = next((one for one in attempts if one.is_final), attempts[-1])
    return render(
        request,
        "metering/log.html",
        {
            "record": final,
            "attempts": attempts,
            "bill": bill(final),
            "usage_text": json.dumps(final.usage, indent=2, ensure_ascii=False) if final.usage else "",
            "key_names": names(place, "api_key_id", [final.api_key_id]),
            "workspace_names": names(place, "workspace_id", [final.workspace_id]),
        },
    )


def latest(place: Place) -> QuerySet[UsageRecord]:
    """Final attempts that this person may see here, newest first."""
    return _visible(place).filter(is_final=True).order_by("-started_at", "-request_id", "-attempt")


def _visible(place: Place) -> QuerySet[UsageRecord]:
    records: QuerySet[Any] = UsageRecord.objects.filter(organization_id=place.organization.id)
    workspaces = place.workspace_ids("logs")
    return records if workspaces is None else records.filter(workspace_id__in=workspaces)


def _keys(place: Place) -> list[tuple[str, str]]:
    """What the filter offers: ids and names of keys that were used lately."""
    keys = ApiKey.objects.filter(organization=place.organization, last_used_at__isnull=False)
    workspaces = place.workspace_ids("logs")
    if workspaces is not None:
        keys = keys.filter(workspace__in=workspaces)
    return list(keys.order_by("-last_used_at").values_list("id", "name")[:MOST_KEYS])


def _address(request: HttpRequest, **changed: str) -> str:
    """This page with the same filters, at another position."""
    query = request.GET.copy()
    query.pop("before", None)
    query.update(changed)
    return f"?{query.urlencode()}"
