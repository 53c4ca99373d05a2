"""Figures of a run: spreads, medians and multiples. Pure."""

from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the ordered values lie: the nearest rank."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float], *, scale: float) -> dict[str, float] | None:
    """Median and 99th percentile of `values` times `scale`; None when there are none."""
    if not values:
        return None
    ordered = sorted(values)
    return {"p50": percentile(ordered, 0.5) * scale, "p99": percentile(ordered, 0.99) * scale}
