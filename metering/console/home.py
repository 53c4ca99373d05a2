"""The Home room: what this month costs, whether requests succeed, who uses most, what came last."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apikeys.console.frame import base_url, room
from apikeys.console.place import Place
from apikeys.console.snippets import curl
from metering import reports
from metering.console import breakdown
from metering.console.logs import LATE, latest
from metering.console.names import names
from metering.console.spans import DAY, midnight, month_start
from metering.display import percent
from metering.reports import Every, Selection, Sums

TOP = 5
RECENT = 8
FAILED = ("upstream_error", "interrupted", "refused")


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the little chart, in percent of the dearest day."""

    day: datetime
    picos: int
    height: float

    @property
    def top(self) -> float:
        return round(100 - self.height, 2)


@dataclass(frozen=True, slots=True)
class Share:
    """One line of a top list; `part` in percent of the first."""

    id: str
    name: str
    sums: Sums
    part: float


@room("usage")
def page(request: HttpRequest, place: Place) -> HttpResponse:
    now = timezone.now()
    selection = _this_month(place, now)
    days = reports.sums(selection, "outcome", every=Every.DAY)
    total = breakdown.add_up(days)
    recent = list(latest(place).defer(*LATE)[:RECENT]) if place.may("logs") else []
    by_key = reports.sums(selection, "api_key_id") if total.requests else []
    by_model = reports.sums(selection, "model") if total.requests else []
    key_ids = [*breakdown.rank(by_key, "api_key_id")[:TOP], *(one.api_key_id for one in recent)]
    key_names = names(place, "api_key_id", key_ids)
    bars = _bars(days, now)
    failures = breakdown.add_up(line for line in days if line.group["outcome"] in FAILED).requests
    return render(
        request,
        "metering/home.html",
        {
            "now": now,
            "total": total,
            "input_total": breakdown.input_tokens(total),
            "failures": failures,
            "failure_share": percent(failures, total.requests),
            "bars": bars,
            "dearest": max(bar.picos for bar in bars),
            "models": _shares(by_model, "model", {"": "no model"}),
            "keys": _shares(by_key, "api_key_id", key_names),
            "records": recent,
            "key_names": key_names,
            "is_new": not total.requests and not recent,
            "curl": curl(base_url(request), "YOUR_KEY"),
        },
    )


def _this_month(place: Place, now: datetime) -> Selection:
    workspaces = place.workspace_ids("usage")
    return Selection(
        organization_id=place.organization.id,
        start=month_start(now),
        end=midnight(now.date()) + DAY,
        where={} if workspaces is None else {"workspace_id": workspaces},
        include_simulated=reports.simulated_rows_count(),
    )


def _bars(lines: list[Sums], now: datetime) -> list[Bar]:
    """A bar for each day of the month so far."""
    spent = {month_start(now) + index * DAY: 0 for index in range(now.day)}
    for line in lines:
        if line.started_at is not None:
            spent[line.started_at] += line.cost_picos
    most = max(spent.values()) or 1
    return [Bar(day, picos, round(100 * picos / most, 2)) for day, picos in spent.items()]


def _shares(lines: list[Sums], dimension: str, called: dict[str, str]) -> list[Share]:
    by_group = {line.group[dimension]: line for line in lines}
    top = [by_group[group] for group in breakdown.rank(lines, dimension)[:TOP]]
    most = max((line.cost_picos for line in top), default=0) or 1
    return [
        Share(
            line.group[dimension],
            called.get(line.group[dimension], line.group[dimension]),
            line,
            round(100 * line.cost_picos / most, 2),
        )
        for line in top
    ]
