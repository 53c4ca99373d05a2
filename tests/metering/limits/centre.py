"""The centre's money, spoken to in SQL as a worker and a shipper do."""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import connection

from apikeys.actions.organizations import create_organization
from apikeys.audit import Actor

NOON_US = 1_795_003_200_000_000  # 2026-11-18 12:00 UTC
MONTH, DAY = "2026-11", "2026-11-18"
KEY = "key:apikey_01acme"


def call(statement: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    value = row[0] if row else None
    return json.loads(value) if isinstance(value, str) and value[:1] in "{[" else value


class Tenant:
    """An organization without limits but those that a test sets."""

    def __init__(self) -> None:
        self.id = str(create_organization(f"acme {uuid4().hex}", tier="custom", actor=Actor.command_line()).id)
        self.scope = f"org:{self.id}"
        self.scopes = [self.scope, "ws:wrkspc_01acme", KEY]

    def limit(self, picos: int, *, kind: str = "spend:month", mode: str = "strict", scope: str = "") -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO limit_effective (organization_id, scope, model_class, kind, picos, mode)"
                " VALUES (%s, %s, '', %s, %s, %s)"
                " ON CONFLICT (scope, model_class, kind) DO UPDATE SET picos = excluded.picos, mode = excluded.mode",
                [self.id, scope or self.scope, kind, picos, mode],
            )
            cursor.execute("UPDATE limit_version SET version = version + 1 WHERE organization_id = %s", [self.id])

    def purse(self, period: str = MONTH, scope: str = "") -> tuple[int, int]:
        """Spent and held."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT spent, held FROM spend_counter WHERE scope = %s AND period = %s", [scope or self.scope, period]
            )
            row = cursor.fetchone() or (0, 0)
        return int(row[0]), int(row[1])

    def held_by_holders(self, period: str = MONTH) -> int:
        return int(
            call(
                "SELECT coalesce(sum(greatest(0, drawn - returned - shipped)), 0) FROM spend_hold"
                " WHERE scope = %s AND period = %s",
                self.scope,
                period,
            )
        )


class Holder:
    """A worker, as far as the centre sees it."""

    def __init__(self, tenant: Tenant) -> None:
        self.id = str(uuid4())
        self.tenant = tenant
        self.seq = 0
        call("SELECT tollgate_beat(%s, 1, 0, '{\"host\": \"here\", \"pid\": 1}', '{}', '[]')", self.id)

    def draw(self, *requests: Any, money: Any = (), is_repeat: bool = False) -> dict[str, Any]:
        self.seq += not is_repeat
        batch = {
            "version": 0,
            "is_idle": True,
            "posts": [],
            "slots": {},
            "want": [],
            "requests": requests,
            "money": money,
            "holder": self.id,
        }
        answer = call("SELECT tollgate_draw(%s, %s, %s, %s)", self.id, self.seq, self.tenant.id, json.dumps(batch))
        assert isinstance(answer, dict)
        return answer

    def ask(self, worst: int | None, **changes: Any) -> Any:
        """The result of a single request."""
        return self.draw(self.request(worst, **changes))["results"][0]

    def request(self, worst: int | None, *, day: str = DAY, **money: Any) -> dict[str, Any]:
        return {
            "scopes": self.tenant.scopes,
            "class": "Sonnet 5.5",
            "input": 1,
            "money": {"day": day, "worst": worst, **money},
        }

    def give_back(self, total: int, debt: int = 0, *, period: str = MONTH) -> None:
        self.draw(money=[[self.tenant.scope, period, str(total), str(debt)]])

    def ship(
        self, *costs: int, is_closed: bool = False, counts: bool = True, periods: tuple[str, ...] = (MONTH,)
    ) -> None:
        """Rows that began at noon, held in the organization's purses."""
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE IF NOT EXISTS shipped_money (organization_id uuid, workspace_id text,"
                " api_key_id text, started_at timestamptz, cost_picos numeric,"
                " counts boolean, holder uuid, holds text[])"
            )
            cursor.execute("TRUNCATE shipped_money")
            for cost in costs:
                cursor.execute(
                    "INSERT INTO shipped_money VALUES (%s, 'wrkspc_01acme', 'apikey_01acme',"
                    " to_timestamp(%s), %s, %s, %s, %s)",
                    [
                        self.tenant.id,
                        NOON_US // 1_000_000,
                        Decimal(cost),
                        counts,
                        self.id,
                        [f"{self.tenant.scope} {period}" for period in periods],
                    ],
                )
            if is_closed:
                cursor.execute(
                    'INSERT INTO metering_journalfolder (id, segment, "offset", shipped_segment, shipped_offset,'
                    " is_closed, created_at) VALUES (%s, 0, 0, 0, 0, true, now())",
                    [self.id],
                )
            cursor.execute("SELECT tollgate_ship_money(%s::uuid[])", [[self.id] if is_closed else []])
