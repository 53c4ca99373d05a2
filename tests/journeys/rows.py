"""The ledger as PostgreSQL holds it, for tests that ask what became of a request."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.gateway import Gateway, wait_until

SHIPPING_SECONDS = 15.0
"""Rows appear within a second; a busy machine gets more."""

Row = dict[str, Any]


def final_row(gateway: Gateway, request_id: str) -> Row:
    """The one row that counts for a request. Fails when there is none, or more than one."""
    found: list[Row] = []

    def is_there() -> bool:
        found[:] = final_rows(gateway, [request_id])
        return bool(found)

    wait_until(is_there, seconds=SHIPPING_SECONDS, what=f"the row of {request_id}")
    assert len(found) == 1, found
    return found[0]


def final_rows(gateway: Gateway, request_ids: Sequence[str]) -> list[Row]:
    return query(
        gateway, "SELECT * FROM metering_usagerecord WHERE is_final AND request_id = ANY(%s)", [list(request_ids)]
    )


def attempts(gateway: Gateway, request_id: str) -> list[Row]:
    """All rows of one request, in order. Waits for the final one."""
    final_row(gateway, request_id)
    return query(gateway, "SELECT * FROM metering_usagerecord WHERE request_id = %s ORDER BY attempt", [request_id])


def query(gateway: Gateway, statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """One statement on a connection of its own."""
    with psycopg.connect(gateway.database_url, row_factory=dict_row, autocommit=True) as connection:
        return connection.execute(statement, values).fetchall()  # type: ignore[call-overload, no-any-return]
