"""Workers without sockets: shares that speak to the real centre, one call at a time, on clocks of the test's."""

import json
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from metering.limits.scopes import Demand
from metering.limits.share import Ask, Grant, Share

ORGANIZATION = "0b6a7c1e-5a64-4f0c-8a44-0d6a7a1c2b3d"
WORKSPACE = "wrkspc_01acme"
KEY = "apikey_01acme"
ORG_SCOPE, WORKSPACE_SCOPE, KEY_SCOPE = f"org:{ORGANIZATION}", f"ws:{WORKSPACE}", f"key:{KEY}"


def asked(function: str, *arguments: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({', '.join(['%s'] * len(arguments))})::text", arguments)
        text = cursor.fetchone()[0]
    return json.loads(text)


def limit(kind: str, capacity: int | None, *, scope: str = ORG_SCOPE, model_class: str = "") -> None:
    """Set a limit; None takes it away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM limit_effective WHERE scope = %s AND model_class = %s AND kind = %s",
            [scope, model_class, kind],
        )
        if capacity is not None:
            cursor.execute(
                "INSERT INTO limit_effective (organization_id, scope, model_class, kind, capacity, mode) "
                "VALUES (%s, %s, %s, %s, %s, '')",
                [ORGANIZATION, scope, model_class, kind, capacity],
            )
        cursor.execute(
            "INSERT INTO limit_version VALUES (%s, 1) "
            "ON CONFLICT (organization_id) DO UPDATE SET version = limit_version.version + 1",
            [ORGANIZATION],
        )


def demand(input_tokens: int = 1, *, model_class: str = "Sonnet 5", key: str = KEY) -> Demand:
    return Demand(ORGANIZATION, WORKSPACE, key, "claude-sonnet-5", model_class, input_tokens)


class Worker:
    """One worker's share, and its place among the workers of the centre."""

    def __init__(self) -> None:
        self.id: UUID = uuid4()
        self.number = 0
        self.share = Share(ORGANIZATION)
        self.beat()

    def beat(self) -> dict[str, Any]:
        self.number += 1
        share = self.share
        slots = [] if share.is_asking else [[ORGANIZATION, share.seq, share.slots.declared()]]
        known = {} if share.version is None else {ORGANIZATION: share.version}
        place = json.dumps({"host": "test", "pid": 1})
        return asked(
            "tollgate_beat", self.id, self.number, self.number - 1, place, json.dumps(known), json.dumps(slots)
        )

    def ask(self, *demands: Demand, now: float) -> Ask:
        return self.share.ask(demands, now)

    def call(self, ask: Ask, *, number: int | None = None) -> dict[str, Any]:
        """What the centre answers to it, which may be lost again."""
        return asked("tollgate_draw", self.id, number or self.share.seq, ORGANIZATION, json.dumps(ask.batch))

    def draw(self, *demands: Demand, now: float) -> list[Any]:
        """Ask, and hear the answer; again where the limits were not known."""
        ask = self.ask(*demands, now=now)
        results = self.share.hear(ask, self.call(ask), now)
        if demands and results[0] is None:
            return self.draw(*demands, now=now)
        return results

    def admit(self, wanted: Demand, *, now: float) -> Grant | None:
        """As a request does: out of what is held, else by a draw."""
        grant = self.share.take(wanted, now)
        if grant is None:
            result = self.draw(wanted, now=now)[0]
            grant = result if isinstance(result, Grant) else None
        return grant
