"""Four workers on one centre, on clocks of the test's: whatever happens, the bounds of the limits hold."""

from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metering.limits.scopes import Demand
from metering.limits.share import Ask, Grant
from tests.metering.limits.clock import Clock
from tests.metering.limits.drawn import KEY_SCOPE, Worker, asked, demand, limit

pytestmark = pytest.mark.django_db

FEW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORKERS = st.integers(0, 3)
PAUSES = st.sampled_from([0.0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.29, 0.31, 0.6, 0.71, 1.0, 3.0])
BURSTS = st.sampled_from([1, 1, 2, 5, 20, 60])


class Four:
    """The workers, and every admission with its moment; a cancelled one never was."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.now = 0.0  # monotonic, of all workers
        self.workers = [Worker() for _ in range(4)]
        self.admitted: list[tuple[float, int, Grant]] = []
        self.lost: list[tuple[Worker, Ask, int]] = []
        self.dead: list[Worker] = []

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.clock.advance(seconds)

    def burst(self, worker: Worker, wanted: Demand, count: int) -> int:
        """As many as there is: locally first, the rest in one draw."""
        grants: list[Any] = []
        waiting = []
        for _ in range(count):
            grant = worker.share.take(wanted, self.now)
            grants.append(grant) if grant is not None else waiting.append(wanted)
        if waiting:
            grants += worker.draw(*waiting, now=self.now)
        taken = [grant for grant in grants if isinstance(grant, Grant)]
        self.admitted += [(self.now, wanted.input_tokens, grant) for grant in taken]
        return len(taken)

    def lose(self, worker: Worker, wanted: Demand, *, is_heard: bool) -> None:
        """A draw of which no answer comes; the centre may have heard it."""
        ask = worker.ask(wanted, now=self.now)
        number = worker.share.seq
        if is_heard:
            worker.call(ask, number=number)
        else:
            self.lost.append((worker, ask, number))
        worker.share.fail(ask)

    def deliver_late(self) -> None:
        for worker, ask, number in self.lost:
            worker.call(ask, number=number)
        self.lost.clear()

    def replace(self, index: int) -> None:
        """Killed: what it held is gone, and another process takes its place."""
        self.dead.append(self.workers[index])
        self.workers[index] = Worker()

    def bury_dead(self) -> None:
        """As others do for as long as it has slots: a draw that was on its way may have come after a burial."""
        for worker in self.dead:
            asked("tollgate_bury", worker.id, worker.number)

    def windows(self, amount: str) -> list[tuple[float, int]]:
        """Seconds and sum between any two admissions."""
        events = [(at, tokens if amount == "tokens" else 1) for at, tokens, grant in self.admitted]
        found = []
        for first in range(len(events)):
            total = 0
            for at, size in events[first:]:
                total += size
                found.append((at - events[first][0], total))
        return found


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("burst"), WORKERS, BURSTS),
        st.tuples(st.just("burst"), WORKERS, BURSTS),
        st.tuples(st.just("pause"), PAUSES, st.none()),
        st.tuples(st.just("pause"), PAUSES, st.none()),
        st.tuples(st.just("lose"), WORKERS, st.booleans()),
        st.tuples(st.just("late"), st.none(), st.none()),
        st.tuples(st.just("kill"), WORKERS, st.none()),
        st.tuples(st.just("idle"), WORKERS, st.none()),
    ),
    min_size=10,
    max_size=50,
)


def run(four: Four, steps: list[tuple[str, Any, Any]], wanted: Demand) -> None:
    for name, what, how in steps:
        if name == "burst":
            four.burst(four.workers[what], wanted, how)
        elif name == "pause":
            four.advance(what)
        elif name == "lose":
            four.lose(four.workers[what], wanted, is_heard=how)
        elif name == "late":
            four.deliver_late()
        elif name == "kill":
            four.replace(what)
        elif name == "idle":  # limits are said to have changed: everything idle goes back
            four.workers[what].share.suspect(four.now)


@FEW
@given(steps=STEPS, capacity=st.sampled_from([10, 60, 200, 1000]))
def test_never_more_requests_than_the_bound_in_any_window(
    clock: Clock, steps: list[tuple[str, Any, Any]], capacity: int
) -> None:
    fresh(clock)
    limit("requests", capacity)
    four = Four(clock)

    run(four, steps, demand())

    for seconds, count in four.windows("requests"):
        assert count <= capacity + capacity * (seconds + 1) / 60 + 1e-6


@FEW
@given(steps=STEPS, capacity=st.sampled_from([1000, 5000, 20_000]), tokens=st.sampled_from([7, 100, 333]))
def test_never_more_estimated_tokens_than_the_bound_in_any_window(
    clock: Clock, steps: list[tuple[str, Any, Any]], capacity: int, tokens: int
) -> None:
    fresh(clock)
    limit("input_tokens", capacity, scope=KEY_SCOPE)
    limit("requests", 100_000)
    four = Four(clock)

    run(four, steps, demand(tokens))

    for seconds, total in four.windows("tokens"):
        assert total <= capacity + capacity * (seconds + 1) / 60 + 1e-6


@FEW
@given(gaps=st.lists(st.sampled_from([0.005, 0.01, 0.02, 0.033]), min_size=100, max_size=300), pick=st.randoms())
def test_under_pressure_at_least_99_percent(clock: Clock, gaps: list[float], pick: Any) -> None:
    fresh(clock)
    capacity = 200
    limit("requests", capacity)
    four = Four(clock)
    for _ in range(capacity):
        four.burst(pick.choice(four.workers), demand(), 1)

    start = four.now
    for gap in gaps * 2:
        four.advance(gap)
        four.burst(pick.choice(four.workers), demand(), 1)

    assert len(four.admitted) >= 0.99 * (capacity + capacity * (four.now - start) / 60) - 1


@FEW
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["start", "start", "end", "end", "lose", "late", "kill", "beat", "lower", "raise"]),
            WORKERS,
            st.integers(0, 5),
        ),
        min_size=10,
        max_size=50,
    )
)
def test_concurrency_never_grants_beyond_the_limit_and_is_free_in_the_end(
    clock: Clock, steps: list[tuple[str, int, int]]
) -> None:
    fresh(clock)
    capacity = 3
    limit("concurrency", capacity)
    four = Four(clock)
    running: list[tuple[Worker, Grant]] = []

    for name, index, number in steps:
        worker = four.workers[index]
        if name == "start":
            grant = worker.admit(demand(), now=four.now)
            if grant is not None:
                running.append((worker, grant))
                assert len(running) <= capacity
        elif name == "end" and running:
            owner, grant = running.pop(number % len(running))
            owner.share.settle(grant)
            owner.share.settle(grant)
            owner.draw(now=four.now)
        elif name == "lose":
            four.lose(worker, demand(), is_heard=number % 2 == 0)
        elif name == "late":
            four.deliver_late()
        elif name == "kill":
            running = [(owner, grant) for owner, grant in running if owner is not worker]
            four.replace(index)
            four.bury_dead()
        elif name == "beat":
            worker.beat()
        elif name in ("lower", "raise"):
            capacity = max(len(running), 1 if name == "lower" else 4)
            limit("concurrency", capacity)

    for owner, grant in running:
        owner.share.settle(grant)
    four.bury_dead()
    for worker in four.workers:
        worker.draw(now=four.now)
    assert sum(four.workers[0].admit(demand(), now=four.now) is not None for _ in range(9)) == capacity


@FEW
@given(
    output=st.lists(st.tuples(WORKERS, st.integers(0, 400), PAUSES), min_size=5, max_size=40),
    capacity=st.sampled_from([60, 600, 6000]),
)
def test_output_is_admitted_only_while_something_is_left(
    clock: Clock, output: list[tuple[int, int, float]], capacity: int
) -> None:
    """All that was produced before the last admission, less that answer's own workers' unposted part, was there."""
    fresh(clock)
    limit("output_tokens", capacity)
    four = Four(clock)
    produced = 0

    for index, tokens, pause in output:
        worker = four.workers[index]
        four.advance(pause)
        grant = worker.admit(demand(), now=four.now)
        if grant is not None:
            assert produced < capacity + capacity * (four.now + 1) / 60
            worker.share.produced(grant, tokens, four.now)
            worker.share.settle(grant)
            worker.draw(now=four.now)
            produced += tokens


def fresh(clock: Clock) -> None:
    """Examples share one transaction: nothing of the one before may remain."""
    with connection.cursor() as cursor:
        for table in ("limit_worker", "limit_bucket", "limit_effective", "limit_version"):
            cursor.execute(f"DELETE FROM {table}")
    clock.set(0.0)
