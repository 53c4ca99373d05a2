"""`tollgate usage`: what an organization used and what it cost, from the ledger."""

import argparse
import json
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from config.failures import Failure
from config.tables import table

if TYPE_CHECKING:
    from metering.reports import Sums
    from metering.statement import Statement

_HEADINGS = ("WORKSPACE", "KEY", "MODEL", "REQUESTS", "INPUT", "WRITE 5M", "WRITE 1H", "READ", "OUTPUT", "USD")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("usage", help="what an organization used, by workspace, key and model")
    parser.add_argument("--organization", required=True, metavar="NAME_OR_ID")
    parser.add_argument("--since", metavar="T", help="2026-11-01, 2026-11-01T10:00, 24h, 7d (default: all there is)")
    parser.add_argument("--json", action="store_true", help="one JSON object, with exact amounts")
    parser.add_argument(
        "--include-simulated", action="store_true", help="count the simulator's answers though a real upstream exists"
    )
    parser.set_defaults(run=run, needs_database=True)


def run(options: argparse.Namespace) -> int:
    from django.conf import settings
    from django.utils import timezone

    from apikeys import find
    from apikeys.errors import NotFound
    from metering import backlog, since, statement

    try:
        organization = find.organization(options.organization)
        start = since.parse(options.since, timezone.now()) if options.since else None
    except (NotFound, ValueError) as error:
        raise Failure(str(error)) from None
    # First what is missing, then what is there: nothing can be in neither.
    missing = backlog.count(settings.JOURNAL_DIR)
    found = statement.read(organization, start, include_simulated=options.include_simulated or None)
    if options.json:
        print(json.dumps(statement.as_json(found, backlog=missing), indent=2, ensure_ascii=False))
    else:
        print(_table(found))
        if missing:
            print(f"\n{missing:,} more {'request is' if missing == 1 else 'requests are'} on the way into the ledger.")
    return 0


def _table(statement: "Statement") -> str:
    title = f"{statement.organization}, since {statement.since:%Y-%m-%d %H:%M} UTC"
    lines = [
        (line.workspace or "-", _key(line.api_key_name, line.api_key_id), line.model or "-", *_figures(line.sums))
        for line in statement.lines
    ]
    lines.append(("Total", "", "", *_figures(statement.total)))
    return f"{title}\n\n{table(_HEADINGS, lines, numbers=len(_HEADINGS) - 3)}"


def _key(name: str | None, id_: str | None) -> str:
    return f"{name} {id_}" if name else id_ or "-"


def _figures(sums: "Sums") -> tuple[str, ...]:
    counts = (
        sums.requests,
        sums.uncached_input_tokens,
        sums.cache_creation_5m_input_tokens,
        sums.cache_creation_1h_input_tokens,
        sums.cache_read_input_tokens,
        sums.output_tokens,
    )
    dollars = Decimal(sums.cost_picos).scaleb(-12).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
    return (*(f"{count:,}" for count in counts), f"{dollars:,}")
