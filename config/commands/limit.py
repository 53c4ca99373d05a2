"""`tollgate limit`: what may be used, by whom, and what is left of it."""

import argparse
import json
import sys
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from config.failures import Failure
from config.tables import table

if TYPE_CHECKING:
    from apikeys.models import Organization
    from metering.limits.actions import Holder
    from metering.limits.standing import Line
    from metering.limits.tree import Node

_COUNTS = (
    ("requests", "--requests-per-minute", "N"),
    ("input_tokens", "--input-tokens-per-minute", "N"),
    ("output_tokens", "--output-tokens-per-minute", "N"),
    ("concurrency", "--concurrent-requests", "N"),
)
_SPENDS = (("spend:month", "--monthly-spend"), ("spend:day", "--daily-spend"))
_REMOVE = "none"
_HEADINGS = ("SCOPE", "NAME", "CLASS", "LIMIT ON", "WINS", "SET BY", "LIMIT", "USED", "HELD", "LEFT")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("limit", help="set limits, and see what holds and what is left")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_set(verbs)
    show = verbs.add_parser("show", help="what holds and what is left")
    _add_scope(show, required=False)
    show.add_argument("--json", action="store_true", help="one JSON object, with exact amounts")
    show.set_defaults(run=_show, needs_database=True)


def _add_set(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    set_ = verbs.add_parser("set", help=f"set some, at once in every worker; “{_REMOVE}” takes one away")
    _add_scope(set_, required=True)
    set_.add_argument("--model-class", default="", metavar="C", help="or a model (default: all models together)")
    for kind, option, unit in _COUNTS:
        set_.add_argument(option, dest=kind, type=_count, default=argparse.SUPPRESS, metavar=unit)
    for kind, option in _SPENDS:
        set_.add_argument(option, dest=kind, type=_picos, default=argparse.SUPPRESS, metavar="USD")
    set_.add_argument(
        "--mode",
        choices=["observe", "bounded", "strict"],
        default="",
        help="how spend limits hold: alarm only, at most one request above (the default), never above",
    )
    set_.set_defaults(run=_set, needs_database=True)


def _add_scope(parser: argparse.ArgumentParser, *, required: bool) -> None:
    whose = parser.add_mutually_exclusive_group(required=required)
    whose.add_argument("--key", metavar="ID_OR_SECRET")
    whose.add_argument("--organization", metavar="NAME_OR_ID")
    parser.add_argument("--workspace", metavar="NAME", help="of that organization")


def _count(text: str) -> int | None:
    if text.lower() == _REMOVE:
        return None
    try:
        return int(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is no whole number, and not “{_REMOVE}”") from None


def _picos(text: str) -> int | None:
    return None if text.lower() == _REMOVE else picos_of(text)


def picos_of(text: str) -> int:
    """An exact amount in USD as pico-dollars."""
    try:
        picos = Decimal(text.replace(",", "").lstrip("$")).scaleb(12)
    except InvalidOperation:
        picos = Decimal("NaN")
    if not picos.is_finite() or picos != picos.to_integral_value():
        raise argparse.ArgumentTypeError(f"“{text}” is no amount in USD")
    return int(picos)


def _set(options: argparse.Namespace) -> int:
    from apikeys.audit import Actor
    from apikeys.errors import ChangeRefused
    from metering.limits import actions, effective

    holder = _holder(options)
    given = vars(options)
    values = {kind: given[kind] for kind, *_ in (*_COUNTS, *_SPENDS) if kind in given}
    try:
        change = actions.set_limits(
            holder, values, model_class=options.model_class, mode=options.mode, actor=Actor.command_line()
        )
    except ChangeRefused as refused:
        raise Failure(refused.message) from None
    print_unaware(effective.wait_until_known(change))
    return 0


def print_unaware(workers: list[str]) -> None:
    for worker in workers:
        print(f"tollgate: {worker} has not confirmed the change yet", file=sys.stderr)


def _holder(options: argparse.Namespace) -> "Holder":
    from apikeys import find
    from apikeys.errors import NotFound
    from metering.limits.actions import Holder

    if options.key and options.workspace:
        raise Failure("a key is in one workspace: name the key alone")
    try:
        if options.key:
            key = find.api_key(options.key)
            return Holder(key.organization, api_key=key)
        organization = find.organization(options.organization)
        return Holder(organization, find.workspace(organization, options.workspace) if options.workspace else None)
    except NotFound as missing:
        raise Failure(str(missing)) from None


def _show(options: argparse.Namespace) -> int:
    from metering.limits.tree import tree

    rows = []
    for organization, scope in _wanted(options):
        for node in tree(organization):
            if scope in ("", *node.path):
                rows += [(organization, node, line) for line in node.lines]
    if options.json:
        print(json.dumps({"limits": [_as_json(*row) for row in rows]}, indent=2, ensure_ascii=False))
    else:
        print(table(_HEADINGS, [_as_row(node, line) for _, node, line in rows], numbers=4))
    return 0


def _wanted(options: argparse.Namespace) -> "list[tuple[Organization, str]]":
    """Organizations, each with the scope to show with all below it; empty for everything."""
    from apikeys.models import Organization

    if options.key or options.organization:
        holder = _holder(options)
        return [(holder.organization, holder.scope)]
    return [(one, "") for one in Organization.objects.filter(archived_at=None).order_by("name")]


def _as_json(organization: "Organization", node: "Node", line: "Line") -> dict[str, Any]:
    return {
        "organization": organization.name,
        "scope": node.kind,
        "id": node.id,
        "name": node.name,
        "model_class": line.model_class or None,
        "kind": line.kind,
        "mode": line.mode or None,
        "source": "own" if line.is_own else "tier",
        "wins": node.wins(line),
        "limit": _amount(line, line.limit),
        "used": _amount(line, line.used),
        "held": _amount(line, line.held),
        "left": _amount(line, line.left),
        "resets_at": line.resets_at.isoformat() if line.resets_at else None,
    }


def _amount(line: "Line", amount: int) -> int | str:
    """Money as exact text in USD."""
    from metering.money import usd

    return usd(amount) if line.is_money else amount


def _as_row(node: "Node", line: "Line") -> tuple[str, ...]:
    amounts = (line.limit, line.used, line.held, line.left)
    return (
        node.kind,
        node.name,
        line.model_class or "all",
        f"{line.kind} ({line.mode})" if line.mode else line.kind,
        "yes" if node.wins(line) else "",
        "own" if line.is_own else "tier",
        *(f"${_amount(line, one)}" if line.is_money else f"{one:,}" for one in amounts),
    )
