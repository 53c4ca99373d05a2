"""Records become rows of the ledger. Pure: tuples in the order of SHIPPED, of what PostgreSQL's COPY takes.

Texts are cut to their columns here: what a client or an upstream has written must not make a row impossible.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import orjson

from metering.pricing import Charge
from metering.records import REFUSED, Begin, End, Refused

Row = tuple[Any, ...]

SUMS = (
    "uncached_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "web_search_requests",
    "uncached_input_picos",
    "cache_creation_5m_picos",
    "cache_creation_1h_picos",
    "cache_read_picos",
    "output_picos",
    "web_search_picos",
    "cost_picos",
)
"""What a record and its rollups count, named as in `pricing.Charge`."""

_CHARGE = (*SUMS, "service_tier", "context_window", "inference_geo", "speed", "is_unpriced")

COLUMNS = (
    "started_at",
    "request_id",
    "attempt",
    "is_final",
    "requests",
    "last_request_id",
    "organization_id",
    "workspace_id",
    "api_key_id",
    "account_id",
    "endpoint",
    "requested_model",
    "model",
    "upstream",
    "upstream_request_id",
    "message_id",
    "outcome",
    "reason",
    "status",
    "error_type",
    "stop_reason",
    "is_stream",
    "is_simulated",
    "is_estimated",
    "usage",
    "first_byte_us",
    "duration_us",
    "client_retry_count",
    "user_agent",
    *_CHARGE,
)

SHIPPED = (*COLUMNS, "holder", "holds")
"""What is shipped: the row, and whose hold its cost leaves, in which purses."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_charge: Callable[[Charge], tuple[Any, ...]] = attrgetter(*_CHARGE)
_NO_CHARGE = _charge(Charge())


def of_attempt(begin: Begin, end: End, upstream: str) -> Row:
    """The row of one attempt that has ended."""
    return (
        moment(begin.started_at_us),
        begin.request_id,
        end.attempt,
        end.is_final,
        1 if end.is_final else 0,
        "",
        begin.organization_id,
        begin.workspace_id,
        begin.api_key_id,
        begin.account_id,
        begin.endpoint,
        begin.requested_model[:200],
        (end.model or begin.model)[:200],
        upstream[:60],
        end.upstream_request_id[:200],
        end.message_id[:100],
        end.outcome,
        end.reason[:60],
        end.status,
        end.error_type[:60],
        end.stop_reason[:60],
        begin.is_stream,
        begin.is_simulated,
        end.is_estimated,
        None if end.usage is None else orjson.dumps(end.usage).decode(),
        end.first_byte_us,
        end.duration_us,
        min(begin.client_retry_count, 32_767),
        begin.user_agent[:200],
        *_charge(end.charge),
        begin.holder,
        begin.scopes,
    )


def of_refusal(record: Refused) -> Row:
    """The row of one refusal, or of `count` of them."""
    return (
        moment(record.at_us),
        record.request_id,
        1,
        True,
        record.count,
        record.last_request_id,
        record.organization_id,
        record.workspace_id,
        record.api_key_id,
        None,
        record.endpoint,
        record.requested_model[:200],
        record.model[:200],
        "",
        "",
        "",
        REFUSED,
        record.reason[:60],
        record.status,
        record.error_type[:60],
        "",
        record.is_stream,
        False,
        False,
        None,
        None,
        None,
        0,
        record.user_agent[:200],
        *_NO_CHARGE,
        None,
        [],
    )


def moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
