"""The prices we ship, in USD per million tokens, as published up to 2026-11-20. Pure data; a migration seeds them.

A new price is a new line with its first day (and a new migration that adds it); a line is never changed or removed.
Cloud premiums are not here: they belong to an upstream, not to a model.
"""

from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal

from metering.catalogue import find
from metering.pricing import PriceRow

_PICOS_PER_MILLIONTH = 1_000_000
"""1 USD per million tokens is 1,000,000 pico-dollars per token."""

# model, first day, prompts above, input, 5 minute write, 1 hour write, cache read, output, fast factor
_LIST: tuple[tuple[str, str, int, str, str, str, str, str, int | None], ...] = (
    ("claude-fable-5-2", "2026-11-09", 0, "8", "10", "16", "0.20", "40", 2),
    ("claude-mythos-5-2", "2026-11-09", 0, "8", "10", "16", "0.20", "40", None),
    ("claude-haiku-5-5", "2026-10-07", 0, "0.10", "0.125", "0.20", "0.01", "0.50", None),
    ("claude-haiku-5-5", "2026-10-07", 100_000, "0.50", "0.625", "1", "0.05", "2.50", None),
    ("claude-sonnet-5-5", "2026-09-28", 0, "2", "2.50", "4", "0.20", "10", None),
    ("claude-sonnet-5-5", "2026-10-07", 0, "2", "2.50", "4", "0.10", "10", None),
    ("claude-opus-5-5", "2026-09-22", 0, "4", "5", "8", "0.20", "20", 2),
    ("claude-fable-5-1", "2026-09-01", 0, "10", "12.50", "20", "0.25", "50", None),
    ("claude-mythos-5-1", "2026-09-01", 0, "10", "12.50", "20", "0.25", "50", None),
    ("claude-opus-5", "2026-07-24", 0, "5", "6.25", "10", "0.50", "25", 2),
    ("claude-sonnet-5", "2026-06-30", 0, "2", "2.50", "4", "0.20", "10", None),
    ("claude-fable-5", "2026-06-09", 0, "10", "12.50", "20", "1", "50", None),
    ("claude-mythos-5", "2026-06-09", 0, "10", "12.50", "20", "1", "50", None),
    ("claude-opus-4-8", "2026-05-28", 0, "5", "6.25", "10", "0.50", "25", 2),
    ("claude-opus-4-7", "2026-04-16", 0, "5", "6.25", "10", "0.50", "25", None),
    ("claude-mythos-preview", "2026-04-07", 0, "10", "12.50", "20", "1", "50", None),
    ("claude-sonnet-4-6", "2026-02-17", 0, "3", "3.75", "6", "0.30", "15", None),
    ("claude-opus-4-6", "2026-02-05", 0, "5", "6.25", "10", "0.50", "25", None),
    ("claude-opus-4-5-20251101", "2025-11-24", 0, "5", "6.25", "10", "0.50", "25", None),
    ("claude-haiku-4-5-20251001", "2025-10-15", 0, "1", "1.25", "2", "0.10", "5", None),
    ("claude-sonnet-4-5-20250929", "2025-09-29", 0, "3", "3.75", "6", "0.30", "15", None),
    ("claude-opus-4-1-20250805", "2025-08-05", 0, "15", "18.75", "30", "1.50", "75", None),
    ("claude-opus-4-20250514", "2025-05-14", 0, "15", "18.75", "30", "1.50", "75", None),
    ("claude-sonnet-4-20250514", "2025-05-14", 0, "3", "3.75", "6", "0.30", "15", None),
    ("claude-haiku-4-20250514", "2025-05-14", 0, "1", "1.25", "2", "0.10", "5", None),
    ("claude-3-7-sonnet-20250219", "2025-02-19", 0, "3", "3.75", "6", "0.30", "15", None),
    ("claude-3-5-sonnet-20241022", "2024-10-22", 0, "3", "3.75", "6", "0.30", "15", None),
    ("claude-3-5-haiku-20241022", "2024-10-22", 0, "0.80", "1", "1.60", "0.08", "4", None),
    ("claude-3-haiku-20240307", "2024-03-07", 0, "0.25", "0.30", "0.50", "0.03", "1.25", None),
    ("claude-3-opus-20240229", "2024-02-29", 0, "15", "18.75", "30", "1.50", "75", None),
)


def _row(line: tuple[str, str, int, str, str, str, str, str, int | None]) -> PriceRow:
    model, first_day, above, uncached, five_minutes, one_hour, cached, output, fast_factor = line
    known = find(model)
    return PriceRow(
        model=model,
        effective_from_us=_microseconds(date.fromisoformat(first_day)),
        above_input_tokens=above,
        input_picos=_picos_per_token(uncached),
        cache_write_5m_picos=_picos_per_token(five_minutes),
        cache_write_1h_picos=_picos_per_token(one_hour),
        cache_read_picos=_picos_per_token(cached),
        output_picos=_picos_per_token(output),
        fast_factor=fast_factor,
        us_factor_percent=110 if known is not None and known.has_us_inference else 100,
    )


def _picos_per_token(usd_per_million: str) -> int:
    picos = Decimal(usd_per_million) * _PICOS_PER_MILLIONTH
    if picos != int(picos):
        raise ValueError(f"{usd_per_million} USD per million tokens is no whole number of pico-dollars per token")
    return int(picos)


def _microseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def columns(row: PriceRow) -> dict[str, str | int | datetime | None]:
    """The same row as the columns of the table of prices."""
    values: dict[str, str | int | datetime | None] = {each.name: getattr(row, each.name) for each in fields(row)}
    del values["effective_from_us"]
    values["effective_from"] = datetime.fromtimestamp(row.effective_from_us / 1_000_000, tz=UTC)
    return values


SHIPPED: tuple[PriceRow, ...] = tuple(_row(line) for line in _LIST)
