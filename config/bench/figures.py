"""Figures of a run: spreads, medians and multiples. Pure."""

from collections.abc import Iterable, Sequence
from statistics import median


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the ordered values lie: the nearest rank."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float], *, scale: float) -> dict[str, float] | None:
    """Median and 99th percentile of `values` times `scale`; None when there are none."""
    if not values:
        return None
    ordered = sorted(values)
    return {"p50": percentile(ordered, 0.5) * scale, "p99": percentile(ordered, 0.99) * scale}


def middle(values: Iterable[float | None]) -> float | None:
    """The median of those values that are known: one noisy round of three does not move it."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def per(amount: float, count: int, *, scale: float = 1.0) -> float | None:
    return amount * scale / count if count else None


def ratio(of: float | None, to: float | None) -> float | None:
    return of / to if of is not None and to else None


def difference(of: float | None, from_: float | None) -> float | None:
    return None if of is None or from_ is None else of - from_
