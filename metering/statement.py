"""What an organization used, by workspace, key and model: the content of `tollgate usage`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from apikeys.models import ApiKey, Organization, Workspace
from metering import reports
from metering.money import usd
from metering.reports import Selection, Sums

_COUNTS = (
    "requests",
    "uncached_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
)

_EXACT = timedelta(hours=25)
"""Starting so long ago or less, the many rows of the minute rollup are still quick to add up."""


@dataclass(frozen=True, slots=True)
class Line:
    """One workspace, key and model. None where a request came to its end before that was known."""

    workspace: str | None
    api_key_id: str | None
    api_key_name: str | None
    model: str | None
    sums: Sums


@dataclass(frozen=True, slots=True)
class Statement:
    """`since` is the moment from which on everything is counted: the one asked for, taken down to what is kept."""

    organization: str
    since: datetime
    lines: list[Line]
    total: Sums


def read(organization: Organization, since: datetime | None, *, include_simulated: bool | None = None) -> Statement:
    """Without `since`: all there is. The last day is exact to the minute, what is older to the quarter of an hour."""
    asked = since or organization.created_at
    is_by_minute = asked >= timezone.now() - _EXACT
    start = reports.snapped(asked, timedelta(minutes=1 if is_by_minute else 15))
    counts = reports.simulated_rows_count() if include_simulated is None else include_simulated
    selection = Selection(
        organization_id=organization.id, start=start, include_simulated=counts, is_by_minute=is_by_minute
    )
    found = reports.sums(selection, "workspace_id", "api_key_id", "model")
    return Statement(organization.name, start, _named(organization, found), reports.added(found))


def as_json(statement: Statement, *, backlog: int) -> dict[str, object]:
    """In the shape that scripts rely on. `backlog`: journal records not yet shipped."""
    rows = [
        {"workspace": line.workspace, "api_key": line.api_key_id, "model": line.model, **_figures(line.sums)}
        for line in statement.lines
    ]
    return {
        "organization": statement.organization,
        "since": statement.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "rows": rows,
        "total": _figures(statement.total),
        "backlog": backlog,
    }


def _figures(sums: Sums) -> dict[str, int | str]:
    return {name: getattr(sums, name) for name in _COUNTS} | {"cost_usd": usd(sums.cost_picos)}


def _named(organization: Organization, found: list[Sums]) -> list[Line]:
    """In the order of the names."""
    workspaces = dict(Workspace.objects.filter(organization=organization).values_list("id", "name"))
    keys = dict(ApiKey.objects.filter(organization=organization).values_list("id", "name"))
    lines = [
        Line(
            workspaces.get(sums.group["workspace_id"]),
            sums.group["api_key_id"] or None,
            keys.get(sums.group["api_key_id"]),
            sums.group["model"] or None,
            sums,
        )
        for sums in found
    ]
    return sorted(lines, key=lambda line: (line.workspace or "", line.api_key_name or "", line.model or ""))
