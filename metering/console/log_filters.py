"""Which requests the Logs room shows, and from where on. Pure but for building the query."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

RANGES = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "any": ("Any time", None),
    "custom": ("From – to", None),
}
DEFAULT_RANGE = "7d"

STATUSES: dict[str, tuple[str, Q]] = {
    "completed": ("Completed", Q(outcome="completed")),
    "client_closed": ("Client left", Q(outcome="client_closed")),
    "upstream_error": ("Upstream error", Q(outcome="upstream_error")),
    "interrupted": ("Interrupted", Q(outcome="interrupted")),
    "refused": ("Refused here", Q(outcome="refused")),
    "errors": ("All errors", Q(status__gte=400) | Q(outcome__in=["upstream_error", "interrupted"])),
    "4xx": ("4xx", Q(status__gte=400, status__lt=500)),
    "429": ("429 only", Q(status=429)),
    "5xx": ("5xx", Q(status__gte=500)),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for. `before` is the position of the last row of the page before this one."""

    request_id: str
    range: str
    start: datetime | None
    end: datetime | None
    status: str
    key: str
    model: str
    before: tuple[datetime, str, int] | None

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the time restricts the rows."""
        return bool(self.request_id or self.status or self.key or self.model)

    def apply(self, records: QuerySet[Any]) -> QuerySet[Any]:
        if self.request_id:
            return records.filter(request_id=self.request_id)  # an id is exact: no other filter could help
        if self.start is not None:
            records = records.filter(started_at__gte=self.start)
        if self.end is not None:
            records = records.filter(started_at__lt=self.end)
        if self.status:
            records = records.filter(STATUSES[self.status][1])
        if self.key:
            records = records.filter(api_key_id=self.key)
        if self.model:
            records = records.filter(Q(model=self.model) | Q(requested_model=self.model))
        if self.before is not None:
            records = records.filter(started_at__lte=self.before[0], pk__lt=self.before)
        return records


def read_filters(query: Mapping[str, str], now: datetime) -> Filters:
    status, name = query.get("status", ""), query.get("range", "")
    if name not in RANGES:
        name = "custom" if query.get("from") or query.get("to") else DEFAULT_RANGE
    length = RANGES[name][1]
    return Filters(
        request_id=query.get("id", "").strip(),
        range=name,
        start=now - length if length else _instant(query, "from", name),
        end=_instant(query, "to", name),
        status=status if status in STATUSES else "",
        key=query.get("key", ""),
        model=query.get("model", "").strip(),
        before=_position(query.get("before", "")),
    )


def cursor(record: Any) -> str:
    """Where a row stands, for the address of the page after it."""
    microseconds = (record.started_at - _EPOCH) // timedelta(microseconds=1)
    return f"{microseconds}.{record.request_id}.{record.attempt}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _position(text: str) -> tuple[datetime, str, int] | None:
    microseconds, _, rest = text.partition(".")
    request_id, _, attempt = rest.rpartition(".")
    if not (microseconds.isdecimal() and attempt.isdecimal() and request_id and len(text) < 100):
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(microseconds)), request_id, int(attempt)
    except OverflowError:
        return None


def _instant(query: Mapping[str, str], name: str, range: str) -> datetime | None:
    """`2026-11-21T08:30`, in UTC; anything else is no bound."""
    if range != "custom":
        return None
    try:
        return datetime.fromisoformat(query.get(name, "")).replace(tzinfo=UTC)
    except ValueError:
        return None
