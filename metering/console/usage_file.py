"""The figures of the Usage page as a file for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.http import HttpResponse

from metering import money
from metering.console.spans import Span
from metering.reports import Sums

TOKENS = (
    "uncached_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
)
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def usage_file(lines: Iterable[Sums], group: str, *, span: Span, names: Mapping[str, str]) -> HttpResponse:
    """One row per interval and group, exact to the last digit; times in UTC."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(["starting_at", "ending_at", group, f"{group}_name", "requests", *TOKENS, "web_searches", "cost_usd"])
    for line in lines:
        id = line.group[group]
        assert line.started_at is not None  # noqa: S101
        out.writerow(
            [
                _instant(line.started_at),
                _instant(line.started_at + span.step),
                id,
                _plain(names.get(id, id)),
                line.requests,
                *(getattr(line, name) for name in TOKENS),
                line.web_search_requests,
                money.usd(line.cost_picos),
            ]
        )
    name = f"usage-{span.start:%Y-%m-%d}-{span.last_day:%Y-%m-%d}.csv"
    return HttpResponse(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(name: str) -> str:
    """A name that somebody chose must not run as a formula."""
    return f"'{name}" if name.startswith(_STARTS_A_FORMULA) else name
