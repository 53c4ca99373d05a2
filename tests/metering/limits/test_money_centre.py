"""Money at the centre: what may be held, and how held becomes spent."""

import pytest
from django.db import connection
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.metering.limits.centre import DAY, KEY, MONTH, Holder, Tenant, call

pytestmark = pytest.mark.django_db

DECEMBER = "2026-12-02"


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


@pytest.fixture
def holder(tenant: Tenant) -> Holder:
    return Holder(tenant)


def test_strict_admits_to_the_limit_and_not_beyond(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)

    results = holder.draw(*(holder.request(30) for _ in range(4)))["results"]

    assert results[:3] == [1, 1, 1]
    assert (results[3]["short"], results[3]["scope"], results[3]["kind"]) == ("held", tenant.scope, "spend:month")
    assert tenant.purse() == (0, 90)


def test_a_smaller_request_behind_a_refused_one_is_admitted(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)

    results = holder.draw(holder.request(80), holder.request(30), holder.request(20))["results"]

    assert [result == 1 for result in results] == [True, False, True]


def test_what_the_worker_holds_already_is_not_taken_twice(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    holder.ask(90)

    assert holder.ask(95, free={f"{tenant.scope} {MONTH}": "90"}) == 1
    assert tenant.purse() == (0, 95)


def test_spent_money_is_told_from_held_money(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    holder.ask(70)
    assert holder.ask(40)["short"] == "held"
    holder.ship(70)

    refused = holder.ask(40)

    assert (refused["short"], refused["why"]) == ("spent", "reached")
    assert holder.ask(30) == 1


def test_bounded_ends_at_most_its_margin_above(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(1_000, mode="bounded")

    results = holder.draw(*(holder.request(50) for _ in range(30)))["results"]

    assert sum(result == 1 for result in results) == 21
    holder.ship(*[50] * 21)
    assert tenant.purse() == (1_050, 0)
    assert holder.ask(1)["why"] == "reached"


def test_bounded_leaves_a_hundredth_to_small_requests(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(1_000, mode="bounded")

    results = holder.draw(*(holder.request(2) for _ in range(600)))["results"]

    assert sum(result == 1 for result in results) == 505


def test_observe_admits_whatever_it_costs(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(10, mode="observe")
    holder.ship(50)

    assert holder.ask(1_000) == 1
    assert tenant.purse() == (50, 0)


def test_all_purses_or_none(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    tenant.limit(20, scope=KEY, kind="spend:day")

    assert holder.ask(15) == 1
    assert holder.ask(15)["scope"] == KEY
    assert tenant.purse() == (0, 15)
    assert tenant.purse(DAY, KEY) == (0, 15)


def test_a_tier_cap_and_an_own_limit_share_the_month(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    tenant.limit(50, kind="spend:tier", mode="bounded")

    assert holder.ask(40) == 1
    assert tenant.purse() == (0, 40)
    holder.ship(50)
    assert holder.ask(1)["kind"] == "spend:tier"


def test_credit_is_a_period_without_end(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100, kind="spend:always")
    holder.ship(95)

    assert holder.ask(10, day=DECEMBER)["why"] == "reached"


def test_the_month_is_that_of_the_request(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    holder.ship(90)

    assert holder.ask(20)["why"] == "reached"
    assert holder.ask(20, day=DECEMBER) == 1
    assert tenant.purse("2026-12") == (0, 20)


def test_a_key_that_has_spent_before_its_limit(tenant: Tenant, holder: Holder) -> None:
    holder.ship(40, 45)
    tenant.limit(100, scope=KEY)

    assert holder.ask(20)["why"] == "reached"
    assert holder.ask(15) == 1


def test_a_lowered_limit_counts_what_is_held(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    holder.ask(60)
    tenant.limit(50)

    assert holder.ask(1)["short"] == "held"
    holder.give_back(20)
    assert holder.ask(10) == 1


@pytest.mark.parametrize(("worst", "why"), [(None, "unbounded"), (101, "too_large")])
def test_strict_refuses_what_could_never_be_sure(tenant: Tenant, holder: Holder, worst: int | None, why: str) -> None:
    tenant.limit(100)

    refused = holder.ask(worst, field="tools")

    assert (refused["short"], refused["why"], refused["field"]) == ("spent", why, "tools")


def test_bounded_lets_the_unbounded_through_and_charges_what_it_cost(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100, mode="bounded")

    assert holder.ask(None) == 1
    holder.give_back(0, debt=130)
    assert tenant.purse() == (0, 130)
    assert holder.ask(1)["short"] == "held"
    holder.ship(130)
    assert tenant.purse() == (130, 0)


def test_ahead_is_given_while_plenty_is_left(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(1_000)
    ahead = {f"{tenant.scope} {MONTH}": "70"}

    holder.ask(10, ahead=ahead)
    assert tenant.purse() == (0, 60)
    holder.ask(680, ahead=ahead)
    assert tenant.purse() == (0, 740)


def test_every_answer_carries_the_three_counters(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(1_000)
    holder.ask(100)
    holder.give_back(30)
    holder.ship(20)

    answer = holder.draw(holder.request(10))["money"]

    assert answer["purses"] == [[tenant.scope, MONTH, "110", "30", "20", "920"]]
    assert answer["limits"] == [[tenant.scope, "spend:month", "1000", "strict"]]


def test_a_repeated_draw_moves_nothing(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    first = holder.draw(holder.request(30))

    assert holder.draw(holder.request(30), is_repeat=True) == first
    assert tenant.purse() == (0, 30)


def test_several_purses_are_paid_in_one_draw(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    tenant.limit(100, kind="spend:day")
    holder.ask(50)

    holder.draw(money=[[tenant.scope, MONTH, "50", "0"], [tenant.scope, DAY, "50", "7"]])

    assert (tenant.purse(), tenant.purse(DAY)) == ((0, 0), (0, 7))


def test_a_closed_holder_holds_nothing_and_draws_no_more(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    other = Holder(tenant)
    holder.ask(30)
    other.ask(40)

    holder.ship(12, is_closed=True)

    assert tenant.purse() == (12, 40)
    holder.ask(5)
    assert tenant.purse() == (12, 40)
    assert call("SELECT count(*) FROM spend_hold WHERE holder = %s", holder.id) == 0


def test_rows_that_do_not_count_leave_their_hold_all_the_same(tenant: Tenant, holder: Holder) -> None:
    tenant.limit(100)
    holder.ask(30)

    holder.ship(30, counts=False)

    assert tenant.purse() == (0, 0)


class Purses(RuleBasedStateMachine):
    """Three workers and a shipper, whatever they do: what is spent never passes a strict limit."""

    LIMIT = 1_000

    def __init__(self) -> None:
        super().__init__()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM spend_hold; DELETE FROM spend_counter; DELETE FROM limit_effective")
        self.tenant = Tenant()
        self.tenant.limit(self.LIMIT)
        self.workers = [Holder(self.tenant) for _ in range(3)]
        self.running: list[tuple[int, int]] = []
        self.ended: list[tuple[int, int]] = []
        self.returned = [0, 0, 0]

    @rule(who=st.integers(0, 2), worst=st.integers(1, 300), is_heard=st.booleans())
    def admit(self, who: int, worst: int, is_heard: bool) -> None:
        answer = self.workers[who].draw(self.workers[who].request(worst))
        if not is_heard:
            assert self.workers[who].draw(self.workers[who].request(worst), is_repeat=True) == answer
        if answer["results"][0] == 1:
            self.running.append((who, worst))

    @rule(share=st.integers(0, 100))
    def end(self, share: int) -> None:
        if self.running:
            who, worst = self.running.pop(0)
            cost = worst * share // 100
            self.ended.append((who, cost))
            self.returned[who] += worst - cost

    @rule(who=st.integers(0, 2))
    def give_back(self, who: int) -> None:
        self.workers[who].give_back(self.returned[who])

    @rule()
    def ship(self) -> None:
        for who, cost in self.ended:
            self.workers[who].ship(cost)
        self.ended.clear()

    @invariant()
    def never_above(self) -> None:
        spent, held = self.tenant.purse()
        assert held == self.tenant.held_by_holders()
        assert spent + held <= self.LIMIT
        due = sum(cost for _, cost in self.ended) + sum(worst for _, worst in self.running)
        assert held >= due


class TestPurses(TestCase):
    def test_whatever_happens_a_strict_limit_holds(self) -> None:
        run_state_machine_as_test(Purses, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))
