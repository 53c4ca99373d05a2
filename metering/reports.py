"""Sums over the rollups: what was used and what it cost. Raw rows are never read here, so a report stays quick.

The console, the Admin API and `tollgate usage` all ask through `sums` and `total`, one query each (and one more to
learn whether simulated rows count, unless the caller says). Whoever writes a Correction adds it to the rollups in the
same transaction; so these sums include it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.db.models.functions import Trunc
from django.utils.module_loading import import_string

from metering.models import Rollup, UsageMinute, UsageQuarterHour

DIMENSIONS = (
    "workspace_id",
    "api_key_id",
    "account_id",
    "model",
    "service_tier",
    "context_window",
    "inference_geo",
    "speed",
    "upstream",
    "outcome",
)
"""What sums can be grouped and filtered by. An empty text means "not known" or "none"."""


class Every(Enum):
    """The width of an interval."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which part of the ledger to sum up, from `start` up to but without `end`.

    `start` and `end` are aware and begin a quarter of an hour (a minute, for `Every.MINUTE` and `is_by_minute`).
    `where` maps a dimension to the values that pass. `include_simulated` None means: unless a real upstream exists.
    """

    organization_id: UUID | str
    start: datetime
    end: datetime | None = None
    where: Mapping[str, Collection[str]] = field(default_factory=dict)
    include_simulated: bool | None = None
    is_by_minute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """One line of a report: its interval and group, and what the ledger counted in them. Money in pico-dollars."""

    started_at: datetime | None
    group: Mapping[str, str]
    requests: int
    uncached_input_tokens: int
    cache_creation_5m_input_tokens: int
    cache_creation_1h_input_tokens: int
    cache_read_input_tokens: int
    output_tokens: int
    web_search_requests: int
    uncached_input_picos: int
    cache_creation_5m_picos: int
    cache_creation_1h_picos: int
    cache_read_picos: int
    output_picos: int
    web_search_picos: int
    cost_picos: int

    @property
    def is_empty(self) -> bool:
        """Nothing was used: requests alone, which were refused or failed, may still be counted."""
        return not any(getattr(self, name) for name in COUNTED if name != "requests")


COUNTED = tuple(name for name in Sums.__dataclass_fields__ if name not in {"started_at", "group"})


def total(selection: Selection) -> Sums:
    """Everything of a selection in one line."""
    return _line({}, (), _rollup(selection, None).aggregate(**_sums()))


def sums(selection: Selection, *group_by: str, every: Every | None = None, zone: tzinfo = UTC) -> list[Sums]:
    """A line for each interval and group that has any rows, oldest first, then in the order of the groups' values.

    Without `every` the whole time is one interval and `started_at` is None. Days and months begin in `zone`.
    """
    rollup = _rollup(selection, every)
    keys = list(group_by)
    if every is not None:
        rollup = rollup.annotate(at=Trunc("started_at", every.value, tzinfo=zone))
        keys.insert(0, "at")
    found = rollup.values(*keys).annotate(**_sums()).order_by(*keys)
    return [_line(row, group_by, row) for row in found]


def added(lines: Iterable[Sums]) -> Sums:
    """Lines summed up, without asking the database again."""
    counts = dict.fromkeys(COUNTED, 0)
    for line in lines:
        for name in COUNTED:
            counts[name] += getattr(line, name)
    return Sums(started_at=None, group={}, **counts)


def simulated_rows_count() -> bool:
    """Until a real upstream exists, simulated answers are all there is to see; from then on they are left out.

    Which upstreams exist is known in a layer above this one: settings name the function to ask.
    """
    return bool(import_string(settings.SIMULATED_ROWS_COUNT)())


def snapped(at: datetime, every: timedelta) -> datetime:
    """The latest moment not after `at` that is a whole multiple of `every` in UTC; at most a day."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return at.astimezone(UTC) - (at - midnight) % every


def _rollup(selection: Selection, every: Every | None) -> QuerySet[Any]:
    is_by_minute = selection.is_by_minute or every is Every.MINUTE
    table: type[Rollup] = UsageMinute if is_by_minute else UsageQuarterHour
    rows: QuerySet[Any] = table._default_manager.filter(
        organization_id=selection.organization_id, started_at__gte=selection.start
    )
    if selection.end is not None:
        rows = rows.filter(started_at__lt=selection.end)
    for dimension, values in selection.where.items():
        rows = rows.filter(**{f"{dimension}__in": list(values)})
    wanted = selection.include_simulated
    if not (simulated_rows_count() if wanted is None else wanted):
        rows = rows.filter(is_simulated=False)
    return rows


def _sums() -> dict[str, Sum]:
    return {f"sum_{name}": Sum(name, default=0) for name in COUNTED}


def _line(key: Mapping[str, Any], group_by: Collection[str], row: Mapping[str, Any]) -> Sums:
    return Sums(
        started_at=key.get("at"),
        group={name: key[name] for name in group_by},
        **{name: int(row[f"sum_{name}"]) for name in COUNTED},
    )
