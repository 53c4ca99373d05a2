"""How every limit of an organization stands at the centre: what it allows, what is used, what workers hold.

Read from the tables of the draw, without its lock: figures of one statement agree with each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection

from metering.limits import buckets, scopes


@dataclass(frozen=True, slots=True)
class Line:
    """One limit. `limit`, `used`, `held` and `left` in requests, tokens or slots, or in pico-dollars for `spend:`.

    Of a rate, `held` is with workers for less than a second, and counts as left: they admit out of it.
    """

    scope: str
    model_class: str
    kind: str
    limit: int
    used: int
    held: int
    left: int
    mode: str
    is_own: bool
    """Set on this very scope; otherwise the tier's."""
    resets_at: datetime | None
    """Rates: full again. Money: the next period. None where nothing is used, and for slots and credit."""

    @property
    def is_money(self) -> bool:
        return self.kind.startswith("spend:")


_COUNTED = """
WITH clock AS (SELECT (extract(epoch FROM tollgate_now()) * 1000000)::bigint AS now_us),
lent AS (
    SELECT l ->> 0 AS scope, l ->> 1 AS model_class, l ->> 2 AS kind, sum((l ->> 5)::bigint) AS amount
    FROM limit_draw d, clock, jsonb_array_elements(d.answer -> 'buckets') l
    WHERE d.organization_id = %(organization)s AND (d.answer ->> 'now_us')::bigint > now_us - 1000000
    GROUP BY 1, 2, 3
),
running AS (
    SELECT s.scope, sum(s.in_use) AS in_use FROM limit_slot s
    WHERE s.organization_id = %(organization)s GROUP BY s.scope
)
SELECT e.scope, e.model_class, e.kind, e.capacity, b.level, b.as_of_us, coalesce(l.amount, 0), coalesce(r.in_use, 0),
    o.id IS NOT NULL, now_us
FROM limit_effective e CROSS JOIN clock
LEFT JOIN limit_bucket b USING (scope, model_class, kind)
LEFT JOIN lent l USING (scope, model_class, kind)
LEFT JOIN metering_ownlimit o USING (scope, model_class, kind)
LEFT JOIN running r ON r.scope = e.scope
WHERE e.organization_id = %(organization)s AND e.kind NOT LIKE 'spend:%%'
"""

_MONEY = """
SELECT e.scope, e.kind, e.picos, e.mode, coalesce(c.spent, 0), coalesce(c.held, 0),
    CASE e.kind
        WHEN 'spend:always' THEN NULL
        WHEN 'spend:day' THEN date_trunc('day', now AT TIME ZONE 'UTC') + interval '1 day'
        ELSE date_trunc('month', now AT TIME ZONE 'UTC') + interval '1 month'
    END
FROM limit_effective e CROSS JOIN (SELECT tollgate_now() AS now) clock
LEFT JOIN spend_counter c ON c.scope = e.scope AND c.period = tollgate_period(e.kind, now)
WHERE e.organization_id = %(organization)s AND e.kind LIKE 'spend:%%'
"""


def standing(organization_id: UUID | str) -> list[Line]:
    """All limits of the organization, its workspaces and its keys; the widest scope first, then by class."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"organization": organization_id})
        lines = [_counted(*row) for row in cursor.fetchall()]
        cursor.execute(_MONEY, {"organization": organization_id})
        lines += [_money(*row) for row in cursor.fetchall()]
    return sorted(lines, key=_place)


def on_the_way(lines: Iterable[Line], path: Iterable[str]) -> list[Line]:
    """What binds a request that counts in these scopes."""
    wanted = set(path)
    return [line for line in lines if line.scope in wanted]


def winners(lines: Iterable[Line]) -> set[tuple[str, str, str]]:
    """(scope, class, kind) of those that would stop a request first, of each class and kind. A limit over all models
    counts in every class.
    """
    found = list(lines)
    classes = {line.model_class for line in found} - {scopes.ALL_MODELS} or {scopes.ALL_MODELS}
    best: dict[tuple[str, str], Line] = {}
    for line in found:
        for model_class in classes if line.kind in scopes.KINDS and not line.model_class else {line.model_class}:
            place = (model_class, "spend" if line.is_money else line.kind)
            if place not in best or (line.left, line.limit) < (best[place].left, best[place].limit):
                best[place] = line
    return {(line.scope, line.model_class, line.kind) for line in best.values()}


def _counted(
    scope: str,
    model_class: str,
    kind: str,
    capacity: int,
    level: int | None,
    as_of_us: int | None,
    lent: int,
    in_use: int,
    is_own: bool,
    now_us: int,
) -> Line:
    if kind == scopes.CONCURRENCY:
        left = max(0, capacity - int(in_use))
        return Line(scope, model_class, kind, capacity, int(in_use), 0, left, "", is_own, None)
    full = capacity * buckets.UNIT
    level = full if level is None else buckets.refilled(capacity, level, as_of_us or now_us, now_us)
    held = int(lent)
    left = min(capacity, buckets.whole(level) + held)
    full_at = now_us + buckets.full_after_us(capacity, level)
    resets_at = datetime.fromtimestamp(full_at / 1e6, UTC) if level < full else None
    return Line(scope, model_class, kind, capacity, capacity - left, held, left, "", is_own, resets_at)


def _money(scope: str, kind: str, picos: int, mode: str, spent: int, held: int, resets_at: datetime | None) -> Line:
    limit, used, kept = int(picos), int(spent), int(held)
    left = max(0, limit - used - kept)
    resets = resets_at.replace(tzinfo=UTC) if resets_at else None
    return Line(scope, "", kind, limit, used, kept, left, mode, kind != "spend:tier", resets)


_ORDER = ("requests", "input_tokens", "output_tokens", "concurrency")


def _place(line: Line) -> tuple[int, str, bool, str, int, str]:
    width = ("org", "ws", "key").index(line.scope.partition(":")[0])
    kind = _ORDER.index(line.kind) if line.kind in _ORDER else len(_ORDER)
    return width, line.scope, bool(line.model_class), line.model_class, kind, line.kind
