"""A worker's purses, without a centre."""

from datetime import UTC, datetime
from typing import Any

from metering.limits.money import Money, refusal
from metering.limits.refusal import SpendReached
from metering.limits.scopes import Demand

NOON_US = 1_795_003_200_000_000  # 2026-11-18 12:00 UTC
ORG = "org:o"


def demand(worst: int | None) -> Demand:
    return Demand("o", "w", "k", "m", "c", 1, NOON_US, worst)


def money(*, drawn: int = 0, room: int = 1_000, limit: int = 1_000) -> Money:
    made = Money()
    made.learn([[ORG, "spend:month", str(limit), "strict"]])
    answer(made, drawn, room=room)
    return made


def answer(made: Money, drawn: int, returned: int = 0, shipped: int = 0, *, room: int = 1_000) -> None:
    made.hear({"purses": [[ORG, "2026-11", str(drawn), str(returned), str(shipped), str(room)]]})


def posts(made: Money, **changes: Any) -> list[Any]:
    return made.ask((), 0.0, is_closing=changes.get("is_closing", False))[0]


def test_a_request_is_admitted_out_of_what_is_drawn_and_leaves_what_it_did_not_use() -> None:
    made = money(drawn=100)
    assert made.covers(demand(100))

    hold = made.reserve(demand(100), 0.0)

    assert not made.covers(demand(1))
    hold.end(10)
    assert (made.covers(demand(90)), made.covers(demand(91))) == (True, False)


def test_a_hold_ends_once() -> None:
    made = money(drawn=100)
    hold = made.reserve(demand(100), 0.0)

    hold.end(10)
    hold.end(10)

    assert made.covers(demand(90))


def test_what_cost_more_than_was_held_is_paid_first() -> None:
    made = money(drawn=100)
    made.reserve(demand(100), 0.0).end(130)

    assert posts(made) == [[ORG, "2026-11", "0", "30"]]
    answer(made, 130)
    assert posts(made) == []


def test_where_little_is_left_the_rest_goes_back_at_once() -> None:
    made = money(drawn=100, room=100)
    made.reserve(demand(100), 0.0).end(10)

    assert made.has_idle
    assert posts(made) == [[ORG, "2026-11", "90", "0"]]


def test_idle_money_goes_back_within_seconds() -> None:
    made = money(drawn=100)
    made.reserve(demand(40), 0.0).end(10)

    assert made.tidy(1.0, NOON_US)
    assert posts(made) == [[ORG, "2026-11", "50", "0"]]
    assert made.tidy(3.0, NOON_US)
    assert posts(made) == [[ORG, "2026-11", "90", "0"]]


def test_after_it_was_written_off_only_what_is_on_its_way_is_owed() -> None:
    made = money(drawn=100)
    hold = made.reserve(demand(60), 0.0)
    made.reserve(demand(40), 0.0).end(40)
    answer(made, 100, 0, 25)

    answer(made, 0)

    assert posts(made) == [[ORG, "2026-11", "0", "75"]]
    hold.end(0)


def test_what_has_no_bound_is_never_admitted_without_asking() -> None:
    assert not money(drawn=100).covers(demand(None))


def test_a_refusal_says_when_it_works_again() -> None:
    reached = refusal({"why": "reached", "scope": ORG, "kind": "spend:tier"}, demand(1))

    assert reached == SpendReached(ORG, "month", is_tier_cap=True, resumes_at=datetime(2026, 12, 1, tzinfo=UTC))
