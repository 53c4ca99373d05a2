"""The Usage room: how many tokens, of which kind, whose, at what cost. Chart, tables and file hold one set of sums."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apikeys.console.frame import room
from apikeys.console.place import Place
from metering import reports
from metering.console import breakdown
from metering.console.names import names
from metering.console.spans import CHOICES, Span, read_span
from metering.console.usage_file import usage_file
from metering.reports import Selection, Sums

GROUPS = {"model": "Model", "api_key_id": "Key", "workspace_id": "Workspace"}


@dataclass(frozen=True, slots=True)
class Question:
    """What the address asks for."""

    span: Span
    group: str
    measure: str
    model: str
    key: str

    @property
    def where(self) -> dict[str, list[str]]:
        asked = {"model": self.model, "api_key_id": self.key}
        return {dimension: [value] for dimension, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class Answer:
    """`lines`: sums by interval and group. `offers`: sums by model and key of the same time, whatever is filtered."""

    lines: list[Sums]
    offers: list[Sums]
    as_of: datetime


@room("usage")
def page(request: HttpRequest, place: Place) -> HttpResponse:
    question = read_question(request.GET, timezone.now())
    answer = _answer(place, question)
    key_names = names(place, "api_key_id", (line.group["api_key_id"] for line in answer.offers))
    keys = [(key, key_names.get(key, key)) for key in breakdown.rank(answer.offers, "api_key_id") if key]
    return render(
        request,
        "metering/usage.html",
        {
            "question": question,
            "ranges": CHOICES,
            "groups": GROUPS,
            "measures": {name: label for name, (label, _) in breakdown.MEASURES.items()},
            "models": [model for model in breakdown.rank(answer.offers, "model") if model],
            "keys": keys,
            "key_is_offered": question.key in dict(keys),
            "as_of": answer.as_of,
            **_tables(place, question, answer, key_names),
        },
    )


@room("usage")
def file(request: HttpRequest, place: Place) -> HttpResponse:
    """The lines behind the page as CSV, every group by itself."""
    question = read_question(request.GET, timezone.now())
    lines = reports.sums(_selection(place, question, question.where), question.group, every=question.span.every)
    called = names(place, question.group, (line.group[question.group] for line in lines))
    return usage_file(lines, question.group, span=question.span, names=called)


def read_question(query: Mapping[str, str], now: datetime) -> Question:
    group, measure = query.get("group", ""), query.get("measure", "")
    return Question(
        span=read_span(query, now),
        group=group if group in GROUPS else "model",
        measure=measure if measure in breakdown.MEASURES else "tokens",
        model=query.get("model", ""),
        key=query.get("key", ""),
    )


def _answer(place: Place, question: Question) -> Answer:
    simulated = reports.simulated_rows_count()
    everything = _selection(place, question, {}, include_simulated=simulated)
    wanted = _selection(place, question, question.where, include_simulated=simulated)
    return Answer(
        lines=reports.sums(wanted, question.group, every=question.span.every),
        offers=reports.sums(everything, "model", "api_key_id"),
        as_of=timezone.now(),
    )


def _selection(
    place: Place, question: Question, where: Mapping[str, list[str]], *, include_simulated: bool | None = None
) -> Selection:
    workspaces = place.workspace_ids("usage")
    return Selection(
        organization_id=place.organization.id,
        start=question.span.start,
        end=question.span.end,
        where={**where, **({} if workspaces is None else {"workspace_id": workspaces})},
        include_simulated=include_simulated,
    )


def _tables(place: Place, question: Question, answer: Answer, key_names: Mapping[str, str]) -> dict[str, object]:
    group = question.group
    ranked = breakdown.rank(answer.lines if group == "workspace_id" else answer.offers, group)
    called = key_names if group == "api_key_id" else names(place, group, ranked)
    colour = breakdown.colours(ranked)
    starts = question.span.starts
    label, measure = breakdown.MEASURES[question.measure]
    total = breakdown.add_up(answer.lines)
    series = breakdown.series(answer.lines, group, starts=starts, measure=measure, colour=colour, names=called)
    return {
        "rows": breakdown.rows(answer.lines, group, colour=colour, names=called),
        "total": total,
        "input_total": breakdown.input_tokens(total),
        "series": series,
        "series_totals": [sum(one.values) for one in series],
        "grand_total": sum(sum(one.values) for one in series),
        "steps": [
            {"start": start, "values": values, "total": sum(values)}
            for start, values in zip(starts, _across(series, len(starts)), strict=True)
        ],
        "measure_label": label,
        "group_label": GROUPS[group],
    }


def _across(series: list[breakdown.Series], steps: int) -> list[list[int]]:
    """The series' values step by step."""
    return [[one.values[index] for one in series] for index in range(steps)]
