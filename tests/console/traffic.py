"""Requests that once happened, written by the ledger itself: rows and rollups agree as they do in real life."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from apikeys import ids
from apikeys.models import ApiKey
from metering import rows
from metering.ledger import Ledger
from metering.price_list import SHIPPED
from metering.pricing import PriceTable, price
from metering.records import Begin, End, Refused

_TABLE = PriceTable(SHIPPED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


class Traffic:
    """Collects requests; `ship` puts them into the ledger."""

    def __init__(self) -> None:
        self._rows: list[rows.Row] = []

    def request(
        self,
        key: ApiKey,
        at: datetime,
        usage: Mapping[str, Any] | None,
        *,
        model: str = "claude-sonnet-4-5-20250929",
        attempt: int = 1,
        is_final: bool = True,
        request_id: str | None = None,
        upstream: str = "simulator",
        **end: Any,
    ) -> str:
        """One attempt that came to its end; its request id."""
        request_id = request_id or ids.new_id("req")
        begin = Begin(
            request_id=request_id,
            started_at_us=microseconds(at),
            organization_id=str(key.organization_id),
            workspace_id=key.workspace_id,
            api_key_id=key.id,
            endpoint="messages",
            requested_model=model,
            model=model,
            upstream=upstream,
            is_stream=bool(end.pop("is_stream", False)),
            is_simulated=upstream == "simulator",
            input_estimate=0,
            user_agent="Anthropic/Python 2.11.0",
        )
        charge = price(usage or {}, model=model, at_us=microseconds(at), table=_TABLE)
        fields: dict[str, Any] = {
            "outcome": "completed",
            "status": 200,
            "stop_reason": "end_turn",
            "message_id": ids.new_id("msg"),
            "first_byte_us": 320_000,
            "duration_us": 2_400_000,
        }
        over = End(
            request_id=request_id,
            attempt=attempt,
            is_final=is_final,
            model=model,
            usage=usage,
            charge=charge,
            **(fields | end),
        )
        self._rows.append(rows.of_attempt(begin, over, upstream))
        return request_id

    def refusal(self, key: ApiKey, at: datetime, *, count: int = 1, model: str = "claude-opus-5") -> str:
        request_id = ids.new_id("req")
        self._rows.append(
            rows.of_refusal(
                Refused(
                    request_id=request_id,
                    last_request_id=ids.new_id("req") if count > 1 else "",
                    count=count,
                    at_us=microseconds(at),
                    organization_id=str(key.organization_id),
                    workspace_id=key.workspace_id,
                    api_key_id=key.id,
                    endpoint="messages",
                    requested_model=model,
                    reason="rate_limit",
                    status=429,
                    error_type="rate_limit_error",
                )
            )
        )
        return request_id

    def ship(self) -> None:
        from django.conf import settings

        ledger = Ledger(settings.DATABASE_URL)
        try:
            ledger.ship(self._rows, [])
        finally:
            ledger.close()
        self._rows.clear()
