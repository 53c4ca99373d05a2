"""Which time a page is about, read from its address. Pure: the query and the time of asking in, a span out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from metering.reports import Every

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LONGEST_BY_HOUR = 2 * DAY
LONGEST = 400 * DAY

CHOICES = {
    "today": "Today",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "month": "This month",
    "last-month": "Last month",
    "custom": "From – to",
}
DEFAULT = "30d"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to but without `end`, both whole hours in UTC, seen in steps of `every`."""

    name: str
    start: datetime
    end: datetime
    every: Every

    @property
    def step(self) -> timedelta:
        return HOUR if self.every is Every.HOUR else DAY

    @property
    def starts(self) -> list[datetime]:
        """The beginning of every step, empty ones too: an axis has no holes."""
        count = -(-(self.end - self.start) // self.step)
        return [self.start + index * self.step for index in range(count)]

    @property
    def last_day(self) -> date:
        return (self.end - timedelta(microseconds=1)).date()

    @property
    def title(self) -> str:
        if self.name != "custom":
            return CHOICES[self.name]
        return f"{self.start:%Y-%m-%d} to {self.last_day:%Y-%m-%d}"


def read_span(query: Mapping[str, str], now: datetime) -> Span:
    """The span that `range`, and for a custom one `from` and `to` (days, both included), ask for."""
    name = query.get("range", "")
    if name not in CHOICES:
        name = "custom" if query.get("from") or query.get("to") else DEFAULT
    start, end = _ends(name, query, now)
    return Span(name, start, end, Every.HOUR if end - start <= LONGEST_BY_HOUR else Every.DAY)


def month_start(now: datetime) -> datetime:
    return midnight(now.date().replace(day=1))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _ends(name: str, query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    today = midnight(now.date())
    tomorrow = today + DAY
    this_month = month_start(now)
    if name == "today":
        return today, tomorrow
    if name == "24h":
        next_hour = now.replace(minute=0, second=0, microsecond=0) + HOUR
        return next_hour - DAY, next_hour
    if name == "month":
        return this_month, tomorrow
    if name == "last-month":
        return month_start(this_month - DAY), this_month
    if name == "custom":
        return _custom(query, today)
    days = 7 if name == "7d" else 30
    return tomorrow - days * DAY, tomorrow


def _custom(query: Mapping[str, str], today: datetime) -> tuple[datetime, datetime]:
    """Ends in the wrong order are swapped, endless spans cut at `LONGEST`; what is no date counts as today."""
    first, last = _day(query.get("from"), today), _day(query.get("to"), today)
    first, last = min(first, last), max(first, last)
    return max(first, last - LONGEST), last + DAY


def _day(text: str | None, today: datetime) -> datetime:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return today
    return midnight(day) if date(2000, 1, 1) <= day <= date(2200, 1, 1) else today
