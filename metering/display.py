"""Figures as people read them. Pure: numbers in, rounded text out. Exact amounts are `metering.money`'s."""

from decimal import Decimal

from metering import money

PICOS_PER_USD = 10**12
_GAP = "\u202f"
"""A narrow space that does not break: groups digits without looking like a decimal point anywhere."""


def usd(picos: int, *, places: int = 2) -> str:
    """Rounded half up to `places` decimals: `$1,234.50`. What is more than nothing never reads as zero."""
    least = 10 ** (12 - places)
    if not picos:
        return "$0.00"
    if 0 < picos < least / 2:
        return f"<${Decimal(1).scaleb(-places):f}"
    sign = "-" if picos < 0 else ""
    rounded = (abs(picos) + least // 2) // least
    whole, part = divmod(rounded, 10**places)
    return f"{sign}${whole:,}.{part:0{places}d}"


def per_million(picos_each: int | Decimal) -> str:
    """A price as price lists say it, USD per million: `3` for 3,000,000 picos each."""
    return money.usd(round(picos_each * 1_000_000))


def grouped(number: int) -> str:
    """`12 345 678`, with narrow spaces."""
    return f"{number:,}".replace(",", _GAP)


def short(number: int) -> str:
    """Three digits at most, for headlines: `12.3M`."""
    for size, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if abs(number) >= size:
            value = number / size
            return f"{value:.0f}{letter}" if abs(value) >= 100 else f"{value:.1f}{letter}"
    return str(number)


def duration(microseconds: int | None) -> str:
    """`830 ms`, `1.24 s`, `2 min 5 s`."""
    if microseconds is None:
        return "–"
    milliseconds = round(microseconds / 1_000)
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    seconds = microseconds / 1_000_000
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def percent(part: int, whole: int) -> str:
    """`4.2 %`; a part of nothing is `0 %`."""
    if not whole or not part:
        return "0 %"
    share = 100 * part / whole
    return "<0.1 %" if share < 0.1 else f"{share:.1f} %"
