"""After a mixed load the simulator's books and ours agree, request by request."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import ROOT, Factory, Gateway
from tests.journeys.rows import query
from tests.races import accounts

CONNECTIONS = 50
REDUCED, FULL = 600, 10_000

Line = dict[str, Any]


@pytest.mark.timeout(900)
def test_every_request_of_a_mixed_load_is_in_both_books(gateway: Factory, tmp_path: Path, acceptance: bool) -> None:
    running = gateway(workers=2)

    report = _load(running, tmp_path / "report.jsonl", FULL if acceptance else REDUCED)
    accounts.wait_for_shipping(running)

    books = accounts.read(running, running.data / "simulator" / "ledger.jsonl")
    assert len(report) == (FULL if acceptance else REDUCED)
    assert list(accounts.missing_or_doubled(books)) == []
    assert list(accounts.finished_but_not_exact(books)) == []
    assert list(accounts.wrong_amounts(books)) == []
    assert list(accounts.estimated_without_a_cause(books)) == []
    assert list(accounts.rollups_that_differ(running)) == []
    assert list(accounts.totals_that_differ(running)) == []
    assert list(_miscounted(running, report)) == []
    _check_that_all_kinds_occurred(books, report)


def _load(gateway: Gateway, report: Path, requests: int) -> list[Line]:
    command = [sys.executable, "-m", "tests.races.load", "--port", str(gateway.port), "--key", gateway.api_key]
    command += ["--report", str(report), "--connections", str(CONNECTIONS), "--requests", str(requests)]
    subprocess.run(command, cwd=ROOT, env=gateway.environment, check=True, timeout=800)
    return [json.loads(line) for line in report.read_text().splitlines()]


def _miscounted(gateway: Gateway, report: list[Line]) -> Any:
    """One final row for each authenticated request, as its client counts. Its user agent tells which is whose."""
    counts = {
        row["user_agent"]: row
        for row in query(
            gateway,
            "SELECT user_agent, count(*) AS rows, min(request_id) AS request_id FROM metering_usagerecord"
            " WHERE is_final AND outcome <> 'refused' GROUP BY user_agent",
        )
    }
    for line in report:
        row = counts.pop(f"load/{line['number']}", {"rows": 0, "request_id": ""})
        if line["kind"] in ("refused here", "wrong key"):
            allowed = {0}
        else:
            allowed = {0, 1} if line["kind"] == "leaves early" else {1}
        if row["rows"] not in allowed:
            yield f"{line} has {row['rows']} final rows"
        elif row["rows"] and line["request_id"] not in ("", row["request_id"]):
            yield f"{line} has the row of {row['request_id']}"
    yield from (f"nobody asked for {agent}" for agent in counts)
    (refused,) = query(gateway, "SELECT sum(requests) AS sum FROM metering_usagerecord WHERE reason = 'body_invalid'")
    sent = sum(line["kind"] == "refused here" for line in report)
    if refused["sum"] != sent:
        yield f"{sent} bad bodies were sent, {refused['sum']} are counted"


def _check_that_all_kinds_occurred(books: accounts.Books, report: list[Line]) -> None:
    """So that the test above cannot pass for want of accidents."""
    outcomes = Counter(row["outcome"] for row in books.finals.values())
    kinds = Counter(line["kind"] for line in report)
    assert set(outcomes) == {"completed", "client_closed", "upstream_error", "refused"}
    assert len(kinds) == 15
    assert any(row["is_estimated"] for row in books.finals.values())
    for name in ("cache_creation_5m_picos", "cache_creation_1h_picos", "cache_read_picos", "web_search_picos"):
        assert any(row[name] > 0 for row in books.finals.values()), name
    assert {row["speed"] for row in books.finals.values()} >= {"standard", "fast"}
