"""What the Usage page shows, from one list of sums: totals by group, and the same figures by interval and series.

Pure: lines of `metering.reports` in, tables out. The chart draws the table of intervals, the file holds the lines.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from metering.reports import COUNTED, Sums

MOST_SERIES = 6
OTHER = "other"

MEASURES: dict[str, tuple[str, Callable[[Sums], int]]] = {
    "tokens": ("Tokens", lambda line: input_tokens(line) + line.output_tokens),
    "input": ("Input tokens", lambda line: input_tokens(line)),
    "output": ("Output tokens", lambda line: line.output_tokens),
    "cost": ("Cost", lambda line: line.cost_picos),
    "requests": ("Requests", lambda line: line.requests),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the chart: its values stand in the order of the intervals."""

    name: str
    colour: str
    values: list[int]


@dataclass(frozen=True, slots=True)
class Row:
    """A group's sums over the whole time."""

    id: str
    name: str
    colour: str
    sums: Sums


def input_tokens(line: Sums) -> int:
    """All input, of every price."""
    return (
        line.uncached_input_tokens
        + line.cache_creation_5m_input_tokens
        + line.cache_creation_1h_input_tokens
        + line.cache_read_input_tokens
    )


def add_up(lines: Iterable[Sums]) -> Sums:
    """One line with the sums of all."""
    found = list(lines)
    return Sums(started_at=None, group={}, **{name: sum(getattr(line, name) for line in found) for name in COUNTED})


def rank(lines: Iterable[Sums], dimension: str) -> list[str]:
    """The groups of a dimension, dearest first; the order, and so the colour, is the same for the same lines."""
    weight: dict[str, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for line in lines:
        cost, tokens, requests = weight[line.group[dimension]]
        weight[line.group[dimension]] = (
            cost + line.cost_picos,
            tokens + input_tokens(line) + line.output_tokens,
            requests + line.requests,
        )
    return sorted(weight, key=lambda group: (*(-part for part in weight[group]), group))


def colours(ranked: Sequence[str]) -> dict[str, str]:
    """Colour `0` to `5` for the first groups, `other` for the rest."""
    return {group: str(index) if index < MOST_SERIES else OTHER for index, group in enumerate(ranked)}


def rows(lines: Iterable[Sums], dimension: str, *, colour: Mapping[str, str], names: Mapping[str, str]) -> list[Row]:
    """A row for each group, in the order of the colours."""
    by_group: dict[str, list[Sums]] = defaultdict(list)
    for line in lines:
        by_group[line.group[dimension]].append(line)
    order = {group: index for index, group in enumerate(colour)}
    return [
        Row(group, names.get(group, group), colour.get(group, OTHER), add_up(by_group[group]))
        for group in sorted(by_group, key=lambda group: order.get(group, len(order)))
    ]


def series(
    lines: Iterable[Sums],
    dimension: str,
    *,
    starts: Sequence[datetime],
    measure: Callable[[Sums], int],
    colour: Mapping[str, str],
    names: Mapping[str, str],
) -> list[Series]:
    """The figures of the chart: a series for each coloured group that occurs, and one for all others together."""
    position = {start: index for index, start in enumerate(starts)}
    is_crowd = sum(shade == OTHER for shade in colour.values()) > 1
    found: dict[str, Series] = {}
    for line in lines:
        group = line.group[dimension]
        shade = colour.get(group, OTHER)
        name = "Other" if shade == OTHER and is_crowd else names.get(group, group)
        one = found.setdefault(shade, Series(name, shade, [0] * len(starts)))
        if line.started_at is not None:
            one.values[position[line.started_at]] += measure(line)
    return sorted(found.values(), key=lambda one: (one.colour == OTHER, one.colour))
