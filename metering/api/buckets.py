"""Time cut into equal buckets, and a page of them. Pure: the caller brings the clock."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from metering.api.parameters import BadParameter

_PAGE = "page_"


@dataclass(frozen=True, slots=True)
class Width:
    """A width of buckets, and how many of them one page holds. All widths divide a day."""

    name: str
    length: timedelta
    default_limit: int
    largest_limit: int


WIDTHS = {
    "1d": Width("1d", timedelta(days=1), 7, 31),
    "1h": Width("1h", timedelta(hours=1), 24, 168),
    "1m": Width("1m", timedelta(minutes=1), 60, 1440),
}


@dataclass(frozen=True, slots=True)
class Page:
    """The buckets that begin from `start` up to but without `end`; `next_page` leads on, None where it all ends."""

    start: datetime
    end: datetime
    width: Width
    next_page: str | None

    def buckets(self) -> Iterator[tuple[datetime, datetime]]:
        """Start and exclusive end of each, oldest first."""
        start = self.start
        while start < self.end:
            yield start, start + self.width.length
            start += self.width.length


def page_of(
    *, starting_at: datetime, ending_at: datetime | None, now: datetime, width: Width, limit: int, token: str | None
) -> Page:
    """The page that `token` names, or the first.

    Begins with the bucket that `starting_at` lies in. The last bucket is the last that ends by `ending_at`; without
    one, the bucket of `now`. Raises BadParameter.
    """
    if ending_at is not None and ending_at <= starting_at:
        raise BadParameter("ending_at: must be later than starting_at")
    try:
        first = snap(starting_at, width)
        last = snap(ending_at, width) if ending_at else snap(now, width) + width.length
        start = first if token is None else _read_token(token, width)
        end = start + width.length * limit
    except OverflowError:
        raise BadParameter("starting_at: Input should be a valid datetime, the year is out of range") from None
    if not first <= start:
        raise BadParameter("page: Invalid page token")
    return Page(start, min(end, last), width, make_token(end) if end < last else None)


def snap(at: datetime, width: Width) -> datetime:
    """The start of the bucket that `at` lies in, in UTC."""
    at = at.astimezone(UTC)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return at - (at - midnight) % width.length


def wire_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_token(start: datetime) -> str:
    """Names the page that begins at `start`."""
    return _PAGE + base64.urlsafe_b64encode(wire_time(start).encode()).decode().rstrip("=")


def _read_token(token: str, width: Width) -> datetime:
    encoded = token.removeprefix(_PAGE)
    try:
        text = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
        start = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except (binascii.Error, ValueError):
        raise BadParameter("page: Invalid page token") from None
    if make_token(start) != token or snap(start, width) != start:
        raise BadParameter("page: Invalid page token")
    return start
