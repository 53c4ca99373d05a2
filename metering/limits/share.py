"""One worker's share of one organization's limits: admits out of what it holds, says what to ask the centre for, and
takes its answer in. Pure: `now` is monotonic seconds, and is the caller's.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from metering.limits.allowances import Allowance
from metering.limits.money import Hold, Money
from metering.limits.scopes import CONCURRENCY, KINDS, BucketKey, BucketState, Demand
from metering.limits.slots import Slots


class Route(NamedTuple):
    """The limits that bind one key and model class."""

    scopes: tuple[str, ...]
    requests: tuple[Allowance, ...]
    inputs: tuple[Allowance, ...]
    outputs: tuple[Allowance, ...]
    has_slots: bool

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        return self.requests + self.inputs + self.outputs


class Grant:
    """A request was admitted. It ends once: settled, or cancelled."""

    __slots__ = ("demand", "input_tokens", "is_open", "money", "output_tokens", "route", "share")

    def __init__(self, share: "Share", route: Route, demand: Demand, money: Hold) -> None:
        self.share = share
        self.route = route
        self.demand = demand
        self.input_tokens = demand.input_tokens
        """What was taken for input: the estimate, until it is corrected."""
        self.output_tokens = 0
        self.is_open = True
        self.money = money


class Ask(NamedTuple):
    """One draw on its way: the batch, and what to do with its answer."""

    batch: dict[str, Any]
    demands: Sequence[Demand]
    posts: tuple[tuple[Allowance, int], ...]
    slots: dict[str, int]
    asked_at: float
    notices: int


class Share:
    """Everything that a worker knows and holds of one organization."""

    __slots__ = (
        "_allowances",
        "_known",
        "_notices",
        "_routes",
        "has_credit",
        "is_asking",
        "money",
        "is_stale",
        "is_unlimited",
        "organization_id",
        "owes",
        "seq",
        "slots",
        "used_at",
        "version",
    )

    def __init__(self, organization_id: str) -> None:
        self.organization_id = organization_id
        self.version: int | None = None
        self.is_stale = True
        """The limits may have changed: nothing is admitted before a draw has said what holds."""
        self.is_unlimited = False
        """As far as is known, nothing limits any of its keys: they need no centre."""
        self.seq = 0
        self.slots = Slots()
        self.money = Money()
        self.is_asking = False
        self.owes = False
        """More was used than the worker held: to be posted within 250 ms."""
        self.has_credit = False
        """Something is to be given back, with the next draw or within a second."""
        self.used_at = 0.0
        self._notices = 0
        self._allowances: dict[BucketKey, Allowance] = {}
        self._known: dict[BucketKey, Allowance] = {}
        """Also those whose limit is gone: their totals must go on growing, should it come back."""
        self._routes: dict[tuple[str | None, str, str], Route] = {}

    def route(self, demand: Demand) -> Route:
        key = (demand.workspace_id, demand.api_key_id, demand.model_class)
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = self._find_route(demand)
        return route

    def take(self, demand: Demand, now: float) -> Grant | None:
        """Out of what is held, everything or nothing. None: the centre must be asked."""
        if self.is_stale:
            return None
        route = self.route(demand)
        if route.has_slots or not self.money.covers(demand):
            return None
        requests, inputs, outputs, tokens = route.requests, route.inputs, route.outputs, demand.input_tokens
        for allowance in requests + outputs:
            if not allowance.has(1, now):
                return None
        for allowance in inputs:
            if not allowance.has(tokens, now):
                return None
        for allowance in requests:
            allowance.take(1, now)
        for allowance in inputs:
            allowance.take(tokens, now)
        return self._granted(route, demand, now)

    def started(self, grant: Grant, input_tokens: int, now: float) -> None:
        """The true number of input tokens is known: the difference to what was taken is given back, or owed."""
        difference = input_tokens - grant.input_tokens
        grant.input_tokens = input_tokens
        for allowance in grant.route.inputs:
            if difference > 0:
                self.owes |= allowance.debit(difference, now)
            elif difference < 0:
                allowance.total -= difference
                self.has_credit = True

    def produced(self, grant: Grant, output_tokens: int, now: float) -> None:
        """So many output tokens have gone by; limits that came since the request began count them too.

        Less than was said before, when it had been an estimate.
        """
        new = output_tokens - grant.output_tokens
        grant.output_tokens = output_tokens
        for allowance in self.route(grant.demand).outputs:
            if new > 0:
                self.owes |= allowance.debit(new, now)
            elif new < 0:
                allowance.total -= new
                self.has_credit = True

    def settle(self, grant: Grant, cost_picos: int = 0) -> None:
        if grant.is_open:
            grant.is_open = False
            grant.money.end(cost_picos)
            self.slots.leave(grant.route.scopes)

    def cancel(self, grant: Grant) -> None:
        """As if it had never been admitted."""
        if not grant.is_open:
            return
        for allowance in grant.route.requests:
            allowance.total += 1
        for allowance in grant.route.inputs:
            allowance.total += grant.input_tokens
        self.has_credit = True
        self.settle(grant)

    def suspect(self, now: float) -> None:
        """Somebody says that the limits have changed: what is held idle goes back, and the next draw tells."""
        self._notices += 1
        self.is_stale = True
        self._close(self._allowances.values(), now)

    @property
    def has_urgent(self) -> bool:
        """Slots that came free, and money where little is left, are missed elsewhere: the centre hears of them now."""
        return self.money.has_idle or bool(self.slots.news())

    @property
    def has_news(self) -> bool:
        """Whether the centre should hear of something without delay."""
        return self.owes or self.has_urgent

    def ask(self, demands: Sequence[Demand], now: float, *, is_leaving: bool = False) -> Ask:
        """The next draw: what is to post, what these requests need, and what to take ahead."""
        touched = {allowance.key: allowance for demand in demands for allowance in self.route(demand).allowances}
        closing = self._allowances if self.is_stale or is_leaving else touched
        self._close(closing.values(), now)
        posts = tuple((a, a.total) for a in self._allowances.values() if a.total != a.posted)
        slots = self.slots.news()
        self.slots.sent(slots)
        money, shares = self.money.ask(demands, now, is_closing=self.is_stale or is_leaving)
        self.seq += 1
        self.is_asking = True
        self.owes = self.has_credit = False
        batch = {
            "version": self.version,
            "is_idle": not self.slots.running,
            "posts": [allowance.post() for allowance, _ in posts],
            "slots": slots,
            "want": [[*key, want] for key, a in touched.items() if (want := a.want(now)) > 0],
            "money": money,
            "requests": [
                {"scopes": demand.scopes, "class": demand.model_class, "input": demand.input_tokens, "money": share}
                for demand, share in zip(demands, shares, strict=True)
            ],
        }
        return Ask(batch, demands, posts, slots, now, self._notices)

    def hear(self, ask: Ask, answer: dict[str, Any], now: float) -> list[Grant | dict[str, Any] | None]:
        """The answer to `ask`. For each request: its grant, why not, or None when it must be asked for once more."""
        for allowance, total in ask.posts:
            allowance.posted = total
        if "limits" in answer:
            self._learn(answer["limits"], now)
        self.money.hear(answer.get("money"))
        self.is_asking = False
        self.version = answer["version"]
        self.is_stale = self._notices != ask.notices
        for scope, model_class, kind, _, level, lent in answer.get("buckets", ()):
            bucket = self._allowances.get(BucketKey(scope, model_class, kind))
            if bucket is not None:
                bucket.note(level, answer["now_us"])
                if lent:
                    bucket.lend(lent, asked_at=ask.asked_at)
        results = answer["results"]
        if results is None:  # the limits were other ones than this worker knew: now it can say what runs under them
            self.slots.heard(ask.slots, ())
            return [None] * len(ask.demands)
        granted = [demand for demand, result in zip(ask.demands, results, strict=True) if result == 1]
        self.slots.heard(ask.slots, [scope for demand in granted for scope in demand.scopes])
        return [
            self._drawn(demand, now) if result == 1 else result
            for demand, result in zip(ask.demands, results, strict=True)
        ]

    def fail(self, ask: Ask) -> None:
        """No answer: whether the centre heard is not known. Totals are told again; grants are lost, not slots."""
        self.is_asking, self.owes = False, True
        self.money.fail()
        self.slots.lost([scope for demand in ask.demands for scope in demand.scopes])

    def forget(self) -> None:
        """The centre has struck this worker off: under its new name it owes nothing and holds nothing."""
        self.seq = 0
        self.is_stale = True
        self.slots.lost(list(self.slots.limits))
        for allowance in self._known.values():
            allowance.lose()
            allowance.total = allowance.posted = 0

    def _close(self, allowances: Iterable[Allowance], now: float) -> None:
        for allowance in allowances:
            if allowance.held:
                allowance.give_back(now)
                self.has_credit = True

    def states(self, demand: Demand, now_us: int) -> tuple[BucketState, ...]:
        return tuple(allowance.state(now_us) for allowance in self.route(demand).allowances)

    def _drawn(self, demand: Demand, now: float) -> Grant:
        route = self.route(demand)
        for allowance in route.requests:
            allowance.count(1, now)
        for allowance in route.inputs:
            allowance.count(demand.input_tokens, now)
        return self._granted(route, demand, now)

    def _granted(self, route: Route, demand: Demand, now: float) -> Grant:
        self.slots.enter(route.scopes)
        self.used_at = now
        return Grant(self, route, demand, self.money.reserve(demand, now))

    def _learn(self, limits: list[list[Any]], now: float) -> None:
        """Other limits hold now. Buckets that stay keep what they owe; what was held ahead goes back."""
        self._routes.clear()
        self.is_unlimited = not limits
        self.slots.limits = {scope: capacity for scope, _, kind, capacity in limits if kind == CONCURRENCY}
        self._close(self._allowances.values(), now)
        self._allowances = {}
        for scope, model_class, kind, capacity in limits:
            if kind in KINDS:
                key = BucketKey(scope, model_class, kind)
                allowance = self._known.setdefault(key, Allowance(key, capacity))
                allowance.capacity = capacity
                self._allowances[key] = allowance

    def _find_route(self, demand: Demand) -> Route:
        scopes = demand.scopes
        mine = [
            allowance
            for key, allowance in self._allowances.items()
            if key.scope in scopes and key.model_class in ("", demand.model_class)
        ]
        return Route(
            scopes,
            tuple(a for a in mine if a.key.kind == "requests"),
            tuple(a for a in mine if a.key.kind == "input_tokens"),
            tuple(a for a in mine if a.key.kind == "output_tokens"),
            any(scope in self.slots.limits for scope in scopes),
        )
