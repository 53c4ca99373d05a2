from dataclasses import replace
from datetime import UTC, datetime

from metering.console import breakdown
from metering.reports import COUNTED, Sums

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 17, tzinfo=UTC)


def line(model: str, at: datetime = MONDAY, **counts: int) -> Sums:
    return Sums(started_at=at, group={"model": model}, **{name: counts.get(name, 0) for name in COUNTED})


def test_groups_rank_by_cost_then_tokens_then_name() -> None:
    lines = [line("b", cost_picos=5), line("c", output_tokens=9), line("a", cost_picos=3), line("a", cost_picos=3)]

    assert breakdown.rank(lines, "model") == ["a", "b", "c"]
    assert breakdown.rank([line("y"), line("x")], "model") == ["x", "y"]


def test_the_seventh_group_keeps_its_name_and_more_become_other() -> None:
    lines = [line(f"m{index}", requests=10 - index) for index in range(8)]
    colour = breakdown.colours(breakdown.rank(lines, "model"))

    def drawn(count: int) -> list[str]:
        shown = dict(list(colour.items())[:count])
        return [
            one.name
            for one in breakdown.series(
                lines[:count],
                "model",
                starts=[MONDAY],
                measure=breakdown.MEASURES["requests"][1],
                colour=shown,
                names={},
            )
        ]

    assert drawn(7)[-1] == "m6"
    assert drawn(8)[-1] == "Other"


def test_chart_table_and_total_are_the_same_figures() -> None:
    lines = [
        line("a", MONDAY, uncached_input_tokens=1, cache_read_input_tokens=2, output_tokens=4, requests=1),
        line("a", TUESDAY, cache_creation_5m_input_tokens=8, cache_creation_1h_input_tokens=16, requests=1),
        line("b", TUESDAY, output_tokens=32, requests=3),
    ]
    colour = breakdown.colours(breakdown.rank(lines, "model"))
    tokens = breakdown.MEASURES["tokens"][1]

    series = breakdown.series(
        lines, "model", starts=[MONDAY, TUESDAY], measure=tokens, colour=colour, names={"a": "Model A"}
    )
    rows = breakdown.rows(lines, "model", colour=colour, names={})
    total = breakdown.add_up(lines)

    assert {one.name: one.values for one in series} == {"Model A": [7, 24], "b": [0, 32]}
    assert {row.id: tokens(row.sums) for row in rows} == {"a": 31, "b": 32}
    assert tokens(total) == 63
    assert total.requests == 5


def test_a_filter_does_not_change_a_groups_colour() -> None:
    everything = [line("a", cost_picos=3), line("b", cost_picos=2)]
    colour = breakdown.colours(breakdown.rank(everything, "model"))

    filtered = breakdown.rows([replace(everything[1])], "model", colour=colour, names={})

    assert [(row.id, row.colour) for row in filtered] == [("b", "1")]
