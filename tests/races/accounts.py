"""Two sets of books, the simulator's and ours, and every way in which they may not agree."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metering.price_list import SHIPPED
from metering.pricing import PriceTable, price
from metering.rows import SUMS
from tests.gateway import Gateway, wait_until
from tests.journeys.rows import Row, query

ORGANIZATION = "My organization"
SHIPPING_SECONDS = 60.0

Entry = dict[str, Any]

_DIMENSIONS = (
    "organization_id",
    "workspace_id",
    "api_key_id",
    "account_id",
    "model",
    "service_tier",
    "context_window",
    "inference_geo",
    "speed",
    "upstream",
    "outcome",
)


@dataclass(frozen=True)
class Books:
    """`received` and `ended` hold what the simulator wrote for each of our request ids, `rows` what we did."""

    received: dict[str, list[Entry]]
    ended: dict[str, list[Entry]]
    rows: dict[str, list[Row]]

    @property
    def finals(self) -> dict[str, Row]:
        return {request_id: row for request_id, rows in self.rows.items() for row in rows if row["is_final"]}


def usage(gateway: Gateway) -> dict[str, Any]:
    """`./tollgate usage --json`."""
    told = gateway.command("usage", "--organization", ORGANIZATION, "--json").stdout
    return json.loads(told)  # type: ignore[no-any-return]


def wait_for_shipping(gateway: Gateway) -> None:
    wait_until(lambda: usage(gateway)["backlog"] == 0, seconds=SHIPPING_SECONDS, what="the shipping of all journals")


def read(gateway: Gateway, ledger: Path) -> Books:
    received: dict[str, list[Entry]] = defaultdict(list)
    ended: dict[str, list[Entry]] = defaultdict(list)
    rows: dict[str, list[Row]] = defaultdict(list)
    for line in ledger.read_text().splitlines():
        entry = json.loads(line)
        if entry["gateway_request_id"]:
            (received if entry["event"] == "received" else ended)[entry["gateway_request_id"]].append(entry)
    for row in query(gateway, "SELECT * FROM metering_usagerecord ORDER BY started_at, request_id, attempt"):
        rows[row["request_id"]].append(row)
    return Books(received, ended, rows)


def missing_or_doubled(books: Books) -> Iterator[str]:
    """What reached the simulator has exactly one final row, and no attempt of it is there twice."""
    for request_id in books.received:
        rows = books.rows.get(request_id, [])
        finals = sum(row["is_final"] for row in rows)
        if finals != 1:
            yield f"{request_id} reached the simulator and has {finals} final rows"
    for request_id, rows in books.rows.items():
        attempts = Counter(row["attempt"] for row in rows)
        if max(attempts.values()) > 1 or sum(row["is_final"] for row in rows) != 1:
            yield f"{request_id} has the attempts {dict(attempts)}"


def wrong_amounts(books: Books) -> Iterator[str]:
    """What the simulator finished in good order and we hold for exact is the same, to the token and the picodollar."""
    prices = PriceTable(SHIPPED)
    for request_id, row in books.finals.items():
        end = books.ended[request_id][-1] if books.ended.get(request_id) else None
        if end is None or row["is_estimated"] or row["outcome"] not in ("completed", "client_closed"):
            continue
        if end["outcome"] != "finished":
            continue
        charge = price(
            end["usage"],
            model=end["model"],
            at_us=round(row["started_at"].timestamp() * 1_000_000),
            table=prices,
            stop_reason=row["stop_reason"],
        )
        differing = {name: (getattr(charge, name), row[name]) for name in SUMS if getattr(charge, name) != row[name]}
        if differing or row["model"] != end["model"] or row["is_unpriced"]:
            yield f"{request_id} ({end['model']}, {row['model']}): {differing}"


def interrupted_without_their_input(books: Books) -> Iterator[str]:
    """An answer that had begun when its process died is charged the input that its beginning named."""
    for request_id, row in books.finals.items():
        if row["outcome"] != "interrupted" or not row["message_id"]:
            continue
        usages = [entry["usage"] or {} for entry in books.ended.get(request_id, [])]
        if row["uncached_input_tokens"] not in [usage.get("input_tokens") for usage in usages]:
            yield f"{request_id}: {row['uncached_input_tokens']} here, {usages} there"


def finished_but_not_exact(books: Books) -> Iterator[str]:
    """While nobody is killed: what the simulator finished is completed or client_closed, exactly."""
    for request_id, entries in books.ended.items():
        row = books.finals.get(request_id)
        if row is None or entries[-1]["outcome"] != "finished":
            continue
        if row["outcome"] not in ("completed", "client_closed") or row["is_estimated"]:
            yield f"{request_id}: finished there, here {row['outcome']}, estimated: {row['is_estimated']}"


def estimated_without_a_cause(books: Books) -> Iterator[str]:
    """While nobody is killed: estimates occur only where the simulator faulted or was cut."""
    for request_id, row in books.finals.items():
        outcomes = {entry["outcome"] for entry in books.ended.get(request_id, [])}
        if row["is_estimated"] and not outcomes & {"faulted", "cut"}:
            yield f"{request_id} is estimated, but ended there as {outcomes or 'never asked'}"


def rollups_that_differ(gateway: Gateway) -> Iterator[str]:
    """Both rollups hold exactly the sums of the rows."""
    for table, interval in (("metering_usageminute", "1 minute"), ("metering_usagequarterhour", "15 minutes")):
        for row in query(gateway, _difference(table, interval)):
            yield f"{table}: {row}"


def _difference(table: str, interval: str) -> str:
    names = ", ".join((*_DIMENSIONS, "requests", *SUMS))
    dimensions = ", ".join(f"coalesce({name}::text, '') AS {name}" for name in _DIMENSIONS)
    sums = ", ".join(f"sum({name})::numeric AS {name}" for name in ("requests", *SUMS))
    same = ", ".join(f"{name}::numeric" for name in ("requests", *SUMS))
    return f"""
        WITH summed AS (
            SELECT date_bin('{interval}', started_at, timestamptz '2000-01-01Z') AS at, {dimensions}, {sums}
            FROM metering_usagerecord GROUP BY at, {", ".join(str(number) for number in range(2, len(_DIMENSIONS) + 2))}
        ), rolled AS (
            SELECT started_at AS at, {dimensions}, {same} FROM {table}
        )
        SELECT 'only in the rows' AS place, at, {names} FROM (SELECT * FROM summed EXCEPT SELECT * FROM rolled) AS one
        UNION ALL
        SELECT 'only in the rollup', at, {names} FROM (SELECT * FROM rolled EXCEPT SELECT * FROM summed) AS two
    """


def totals_that_differ(gateway: Gateway) -> Iterator[str]:
    """`./tollgate usage` says what the rows add up to."""
    told = usage(gateway)["total"]
    (summed,) = query(
        gateway,
        "SELECT sum(requests) AS requests, sum(uncached_input_tokens) AS uncached_input_tokens,"
        " sum(cache_creation_5m_input_tokens) AS cache_creation_5m_input_tokens,"
        " sum(cache_creation_1h_input_tokens) AS cache_creation_1h_input_tokens,"
        " sum(cache_read_input_tokens) AS cache_read_input_tokens, sum(output_tokens) AS output_tokens,"
        " sum(cost_picos) AS cost_picos FROM metering_usagerecord",
    )
    cost = summed.pop("cost_picos")
    for name, value in summed.items():
        if told[name] != value:
            yield f"{name}: {told[name]} told, {value} in the rows"
    whole, _, part = told["cost_usd"].partition(".")
    if int(whole) * 10**12 + int(part.ljust(12, "0")) != cost:
        yield f"cost: {told['cost_usd']} told, {cost} picodollars in the rows"
