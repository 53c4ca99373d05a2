"""From measurements to what is said about them: one row for each target and load, multiples of nginx, goals. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from config.bench.figures import difference, middle, per, ratio
from config.bench.loads import JSON, LOADS, PACED, SSE
from config.bench.measurement import DIRECT, NGINX, TOLLGATE, Measurement, Stage

SATURATED = 0.93
"""A worker busier than this share of its core set the rate itself; below, the load generator or the mock did."""
DISTURBED = 0.05
"""Above this share of waiting, programs beside the benchmark took the measured core too often to trust its times."""


@dataclass(frozen=True, slots=True)
class Row:
    """One target under one load. None: not measured there.

    CPU is that of 64 requests at once. Times are those at half of what Tollgate can do: `added_ms` is what the target
    adds to the mock's own answer at the same rate; for paced streams, what it adds to each event. `busy` and `waited`
    are shares of the worker's core: its own, and what others took while it was ready.
    """

    target: str
    load: str
    cpu_us_per_request: float | None
    cpu_us_per_event: float | None
    postgres_cpu_us_per_request: float | None
    other_cpu_us_per_request: float | None
    requests_per_second: float | None
    p50_added_ms: float | None
    p99_added_ms: float | None
    first_byte_p50_ms: float | None
    first_byte_p99_ms: float | None
    kb_per_stream: float | None
    busy: float | None
    waited: float | None
    half_load_requests_per_second: float | None
    half_load_cpu_us_per_request: float | None

    @property
    def all_cpu_us_per_request(self) -> float | None:
        parts = [self.cpu_us_per_request, self.postgres_cpu_us_per_request, self.other_cpu_us_per_request]
        known = [part for part in parts if part is not None]
        return sum(known) if self.cpu_us_per_request is not None else None


@dataclass(frozen=True, slots=True)
class Goal:
    """Something promised: `value` should be at most `limit`. `value` None: this run could not tell."""

    what: str
    value: float | None
    limit: float
    unit: str

    @property
    def is_met(self) -> bool | None:
        return None if self.value is None else self.value <= self.limit


@dataclass(frozen=True)
class Report:
    rows: tuple[Row, ...]
    sent: int
    recorded: int
    failures: dict[str, int]
    pages_add_ms: float | None
    disturbances: dict[str, float]

    def row(self, target: str, load: str) -> Row | None:
        return next((row for row in self.rows if (row.target, row.load) == (target, load)), None)

    def multiple(self, load: str, field: str) -> float | None:
        """Tollgate's figure as a multiple of nginx's in the same run."""
        return ratio(*(getattr(self.row(target, load), field, None) for target in (TOLLGATE, NGINX)))

    @property
    def goals(self) -> list[Goal]:
        paced = self.row(TOLLGATE, PACED.name)
        every = "all processes' CPU per JSON request"
        goals = [
            Goal("web worker's CPU per JSON request", self.multiple(JSON.name, "cpu_us_per_request"), 14, "x nginx"),
            Goal("web worker's CPU per SSE event", self.multiple(SSE.name, "cpu_us_per_event"), 12, "x nginx"),
            Goal("web worker's CPU per paced event", self.multiple(PACED.name, "cpu_us_per_event"), 3, "x nginx"),
            Goal(every, self.multiple(JSON.name, "all_cpu_us_per_request"), 20, "x nginx"),
            Goal("added delay of a paced event, p99", paced.p99_added_ms if paced else None, 20, "ms"),
            Goal("memory of an open stream", paced.kb_per_stream if paced else None, 80, "kB"),
        ]
        if self.pages_add_ms is not None:
            goals.append(Goal("p99 added by two console pages a second", self.pages_add_ms, 5, "ms"))
        return goals

    def as_json(self) -> dict[str, Any]:
        return {
            "runs": [{**asdict(row), "all_cpu_us_per_request": row.all_cpu_us_per_request} for row in self.rows],
            "sent": self.sent,
            "rows": self.recorded,
            "failures": self.failures,
            "pages_add_p99_ms": self.pages_add_ms,
            "goals": [{**asdict(goal), "is_met": goal.is_met} for goal in self.goals],
        }


def report(measurements: Sequence[Measurement], *, sent: int, recorded: int) -> Report:
    """`sent` and `recorded` count all requests of the run to Tollgate and their rows in its ledger."""
    failures: dict[str, int] = {}
    for one in measurements:
        for failure, count in one.failures.items():
            name = f"{one.target} {one.load}: {failure}"
            failures[name] = failures.get(name, 0) + count
    rows = tuple(
        _row(measurements, target, load)
        for load in LOADS
        for target in (TOLLGATE, NGINX, DIRECT)
        if any((one.target, one.load) == (target, load) for one in measurements)
    )
    return Report(rows, sent, recorded, failures, _pages_add_ms(measurements), _disturbances(measurements))


def _row(measurements: Sequence[Measurement], target: str, load: str) -> Row:
    mine = [one for one in measurements if (one.target, one.load) == (target, load)]
    full = [one for one in mine if one.stage is Stage.FULL]
    half = [one for one in mine if one.stage is Stage.HALF]
    timed = full if load == PACED.name else half
    is_ours = target == TOLLGATE
    return Row(
        target=target,
        load=load,
        cpu_us_per_request=middle(per(one.web_cpu_seconds, one.requests, scale=1e6) for one in full),
        cpu_us_per_event=middle(per(one.web_cpu_seconds, one.events, scale=1e6) for one in full),
        postgres_cpu_us_per_request=middle(
            per(one.postgres_cpu_seconds, one.sent, scale=1e6) for one in full if is_ours
        ),
        other_cpu_us_per_request=middle(per(one.other_cpu_seconds, one.sent, scale=1e6) for one in full if is_ours),
        requests_per_second=middle(per(one.requests, 1, scale=1 / one.seconds) for one in full if one.requests),
        p50_added_ms=_added(measurements, target, load, "p50"),
        p99_added_ms=_added(measurements, target, load, "p99"),
        first_byte_p50_ms=middle(_part(one.first_byte_ms, "p50") for one in timed),
        first_byte_p99_ms=middle(_part(one.first_byte_ms, "p99") for one in timed),
        kb_per_stream=middle(per(one.memory_growth_kb, one.sent) for one in full if load == PACED.name),
        busy=middle(one.web_cpu_seconds / one.seconds for one in full),
        waited=middle(one.web_waited_seconds / one.seconds for one in full),
        half_load_requests_per_second=middle(one.rate for one in half),
        half_load_cpu_us_per_request=middle(per(one.web_cpu_seconds, one.requests, scale=1e6) for one in half),
    )


def _added(measurements: Sequence[Measurement], target: str, load: str, share: str) -> float | None:
    if target == DIRECT:
        return None
    return difference(_delay(measurements, target, load, share), _delay(measurements, DIRECT, load, share))


def _delay(measurements: Sequence[Measurement], target: str, load: str, share: str) -> float | None:
    mine = [one for one in measurements if (one.target, one.load) == (target, load)]
    if load == PACED.name:
        return middle(_part(one.event_delay_ms, share) for one in mine)
    return middle(_part(one.latency_ms, share) for one in mine if one.stage is Stage.HALF)


def _pages_add_ms(measurements: Sequence[Measurement]) -> float | None:
    """How far the p99 of requests rises while pages of the console are made, in milliseconds."""
    with_pages, without = (
        middle(_part(one.latency_ms, "p99") for one in measurements if (one.target, one.stage) == (TOLLGATE, stage))
        for stage in (Stage.PAGES, Stage.QUIET)
    )
    return difference(with_pages, without)


def _part(times: dict[str, float] | None, share: str) -> float | None:
    return times[share] if times else None


def _disturbances(measurements: Sequence[Measurement]) -> dict[str, float]:
    """Measurements in which others had the worker's core too often: their names and the median share of the time."""
    shares: dict[str, list[float]] = {}
    for one in measurements:
        if one.target != DIRECT and one.stage is not Stage.WARM_UP:
            name = f"{one.target} {one.load}, {one.stage.value}"
            shares.setdefault(name, []).append(one.web_waited_seconds / one.seconds)
    return {name: share for name, several in shares.items() if (share := median(several)) > DISTURBED}
