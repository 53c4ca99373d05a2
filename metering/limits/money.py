"""One worker's money for one organization: requests are admitted out of what it has drawn. Pure.

A purse is a scope and a period. The centre keeps three numbers of it for this worker, which only grow: drawn,
returned, shipped. The worker knows what its requests reserve and what those that ended have cost. All amounts are
pico-dollars.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from metering.limits.refusal import CostTooLarge, CostUnbounded, LimitReached, SpendHeld, SpendReached
from metering.limits.scopes import Demand

KEEP_SECONDS = 1.0
"""Money that nobody needed for so long goes back."""
_DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PERIODS = {"spend:day": "day", "spend:always": "always"}


class Limit(NamedTuple):
    """What may be spent in one scope. Kinds are `spend:month`, `spend:tier`, `spend:day` and `spend:always`."""

    scope: str
    kind: str
    picos: int
    mode: str


class Purse:
    __slots__ = (
        "_before",
        "_now",
        "_since",
        "drawn",
        "ended",
        "is_scarce",
        "limit",
        "name",
        "period",
        "reserved",
        "returned",
        "scope",
        "shipped",
        "told",
    )

    def __init__(self, scope: str, period: str) -> None:
        self.scope = scope
        self.period = period
        self.name = f"{scope} {period}"
        self.drawn = 0
        self.returned = 0
        self.told = 0
        """Of `returned`, what the centre has confirmed."""
        self.shipped = 0
        self.reserved = 0
        """The worst cases of all running requests."""
        self.ended = 0
        """What all ended requests have cost."""
        self.limit = 0
        self.is_scarce = True
        """Less than a quarter of the limit is left: what is idle goes back at once."""
        self._since = float("-inf")
        self._now = 0
        self._before = 0

    @property
    def free(self) -> int:
        """Negative when requests have cost more than was held for them."""
        return self.drawn - self.returned - self.reserved - self.ended

    def reserve(self, picos: int, now: float) -> None:
        self.reserved += picos
        if now - self._since >= KEEP_SECONDS:
            self._before = self._now if now - self._since < 2 * KEEP_SECONDS else 0
            self._now = 0
            self._since = now
        self._now += picos

    def recent(self, now: float) -> int:
        """What was lately reserved in a second: as much may stay here, or be taken ahead."""
        return max(self._now, self._before) if now - self._since < 2 * KEEP_SECONDS else 0

    def give_back(self, keep: int = 0) -> None:
        self.returned += max(0, self.free - keep)

    def hear(self, drawn: int, returned: int, shipped: int) -> None:
        if drawn < self.drawn:  # the centre has written this worker off: what runs and what is on its way is owed anew
            self.ended -= self.shipped
            self.returned = returned
        self.drawn, self.told, self.shipped = drawn, returned, shipped


class Hold:
    """What one running request reserves in each of its purses. Ends once."""

    __slots__ = ("_money", "_picos", "_purses")

    def __init__(self, money: "Money", purses: tuple[Purse, ...], picos: int) -> None:
        self._money = money
        self._purses = purses
        self._picos = picos

    @property
    def names(self) -> list[str]:
        """As the journal keeps them: the shipper moves `shipped` in these and in no others."""
        return [purse.name for purse in self._purses]

    def end(self, cost_picos: int) -> None:
        for purse in self._purses:
            purse.reserved -= self._picos
            purse.ended += cost_picos
            if purse.is_scarce and purse.free > 0:
                self._money.has_idle = True
        self._purses = ()


class Money:
    """All purses of one organization."""

    def __init__(self) -> None:
        self.has_idle = False
        """Something should go back at once, or may serve a request that waits."""
        self._limits: dict[str, list[Limit]] = {}
        self._purses: dict[str, Purse] = {}
        self._bound: dict[tuple[tuple[str, ...], int], tuple[Purse, ...]] = {}
        self._claims: list[tuple[Purse, int]] = []

    def learn(self, limits: Iterable[Sequence[Any]]) -> None:
        """Other limits hold: [[scope, kind, picos, mode]]."""
        self._bound.clear()
        self._limits.clear()
        for scope, kind, picos, mode in limits:
            if mode != "observe":
                self._limits.setdefault(scope, []).append(Limit(scope, kind, int(picos), mode))
        for purse in self._purses.values():
            purse.limit = self._tightest(purse)

    def covers(self, demand: Demand) -> bool:
        """Whether the request can be admitted out of what is here, without asking."""
        purses = self._of(demand)
        if not purses:
            return True
        worst = demand.worst_picos
        return worst is not None and all(purse.free >= worst for purse in purses)

    def reserve(self, demand: Demand, now: float) -> Hold:
        purses, worst = self._of(demand), demand.worst_picos or 0
        for purse in purses:
            purse.reserve(worst, now)
        return Hold(self, purses, worst)

    def ask(self, demands: Sequence[Demand], now: float, *, is_closing: bool) -> tuple[list[Any], list[dict[str, Any]]]:
        """For the next draw: what goes back and what is owed, and the part of each request."""
        debts = {purse.name: -purse.free for purse in self._purses.values() if purse.free < 0}
        wanted: set[str] = set()
        requests = [self._request(demand, now, wanted, takes_ahead=not is_closing) for demand in demands]
        self.has_idle = False
        posts = []
        for purse in self._purses.values():
            if is_closing or purse.is_scarce:
                purse.give_back()
            debt = debts.get(purse.name, 0)
            if debt or purse.returned != purse.told:
                posts.append([purse.scope, purse.period, str(purse.returned), str(debt)])
        return posts, requests

    def hear(self, answer: dict[str, Any] | None) -> None:
        """The centre's word on the purses of a draw, None when it has none. Grants are reserved afterwards."""
        self.fail()
        if answer is None:
            return
        if "limits" in answer:
            self.learn(answer["limits"])
        for scope, period, drawn, returned, shipped, room in answer["purses"]:
            purse = self._purse(scope, period)
            purse.hear(int(drawn), int(returned), int(shipped))
            if room is not None:
                purse.is_scarce = 4 * int(room) < purse.limit

    def fail(self) -> None:
        """What was set aside for requests on their way is free again."""
        for purse, picos in self._claims:
            purse.reserved -= picos
        self._claims.clear()

    def tidy(self, now: float, today_us: int) -> bool:
        """Once a second: what is idle goes back. Whether the centre must hear of it."""
        self._bound.clear()
        today = _day(today_us)
        for name, purse in list(self._purses.items()):
            purse.give_back(0 if purse.is_scarce else min(purse.recent(now), purse.limit // 20))
            is_over = purse.period != "always" and purse.period < today[: len(purse.period)]
            if is_over and not purse.reserved and purse.told == purse.returned:
                del self._purses[name]
        return any(purse.told != purse.returned for purse in self._purses.values())

    def _request(self, demand: Demand, now: float, wanted: set[str], *, takes_ahead: bool) -> dict[str, Any]:
        """Sets aside what is here for this request, so that nobody else takes it meanwhile. Where little is left, all
        goes back instead and the whole is asked for: two halves in two workers would be no use to either.
        """
        worst = demand.worst_picos
        free: dict[str, str] = {}
        ahead: dict[str, str] = {}
        for purse in self._of(demand):
            claim = 0 if purse.is_scarce else min(purse.free, worst or 0)
            if claim > 0:
                purse.reserved += claim
                self._claims.append((purse, claim))
                free[purse.name] = str(claim)
            if takes_ahead and purse.name not in wanted and (recent := purse.recent(now)):
                ahead[purse.name] = str(recent)
            wanted.add(purse.name)
        return {
            "day": _day(demand.at_us),
            "worst": None if worst is None else str(worst),
            "field": demand.has_unbounded,
            "free": free,
            "ahead": ahead,
        }

    def _of(self, demand: Demand) -> tuple[Purse, ...]:
        """The purses that a request needs: those with a limit that may refuse it."""
        if not self._limits:
            return ()
        key = (demand.scopes, demand.at_us // _DAY_US)
        found = self._bound.get(key)
        if found is None:
            day = _day(demand.at_us)
            names = dict.fromkeys(
                (scope, _period(limit.kind, day)) for scope in demand.scopes for limit in self._limits.get(scope, ())
            )
            found = self._bound[key] = tuple(self._purse(scope, period) for scope, period in names)
        return found

    def _purse(self, scope: str, period: str) -> Purse:
        purse = self._purses.get(f"{scope} {period}")
        if purse is None:
            purse = Purse(scope, period)
            purse.limit = self._tightest(purse)
            self._purses[purse.name] = purse
        return purse

    def _tightest(self, purse: Purse) -> int:
        limits = self._limits.get(purse.scope, ())
        return min((limit.picos for limit in limits if _length(limit.kind) == len(purse.period)), default=0)


def refusal(result: dict[str, Any], demand: Demand) -> LimitReached:
    """What the centre said of a request that it did not grant."""
    period = _PERIODS.get(result["kind"], "month")
    if result["why"] == "unbounded":
        return CostUnbounded(result["field"])
    if result["why"] == "too_large":
        return CostTooLarge(result["scope"], int(result["worst"]), int(result["picos"]), "max_tokens")
    if result["why"] == "held":
        return SpendHeld(result["scope"], period)
    return SpendReached(result["scope"], period, result["kind"] == "spend:tier", _resumes_at(period, demand.at_us))


def _resumes_at(period: str, at_us: int) -> datetime | None:
    midnight = _EPOCH + timedelta(days=at_us // _DAY_US)
    if period == "always":
        return None
    if period == "day":
        return midnight + timedelta(days=1)
    return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)


def _day(at_us: int) -> str:
    return (_EPOCH + timedelta(days=at_us // _DAY_US)).date().isoformat()


def _period(kind: str, day: str) -> str:
    return "always" if kind == "spend:always" else day[: _length(kind)]


def _length(kind: str) -> int:
    """Of the names of periods: 2026-11, 2026-11-21, always."""
    return {"spend:day": 10, "spend:always": 6}.get(kind, 7)
