"""`tollgate tier`: which usage tier an organization is in, and what each allows."""

import argparse
from typing import TYPE_CHECKING

from config.commands.limit import print_unaware
from config.failures import Failure
from config.tables import table

if TYPE_CHECKING:
    from metering.limits.tables import Tier

_KINDS = ("requests", "input_tokens", "output_tokens")
_PLACES = ("ORGANIZATION", "ID", "TIER", "PINNED", "SINCE")
_TERMS = ("CLASS", "REQUESTS/MIN", "INPUT TOKENS/MIN", "OUTPUT TOKENS/MIN")
_RESOURCES = {
    "batch_requests": "requests to Batches a minute",
    "batch_queue": "batch requests in the queue",
    "count_tokens": "requests to count_tokens a minute",
    "files": "requests to Files a minute",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("tier", help="put organizations into usage tiers, and see what these allow")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    set_ = verbs.add_parser("set", help="move an organization")
    set_.add_argument("--organization", required=True, metavar="NAME_OR_ID")
    set_.add_argument("tier", metavar="TIER")
    pin = set_.add_mutually_exclusive_group()
    pin.add_argument("--pin", action="store_true", default=None, help="it stays there, whatever the rules say")
    pin.add_argument("--unpin", dest="pin", action="store_false", default=None, help="the rules may move it on")
    set_.set_defaults(run=_set, needs_database=True)
    show = verbs.add_parser("show", help="who is in which tier; with a name, what the tier allows")
    show.add_argument("tier", nargs="?", default="", metavar="TIER")
    show.add_argument("--organization", metavar="NAME_OR_ID", help="its tier, and how it got there")
    show.set_defaults(run=_show, needs_database=True)


def _set(options: argparse.Namespace) -> int:
    from apikeys import find
    from apikeys.audit import Actor
    from apikeys.errors import ChangeRefused, NotFound
    from metering.limits import actions, effective

    try:
        organization = find.organization(options.organization)
        change = actions.set_tier(organization, options.tier, is_pinned=options.pin, actor=Actor.command_line())
    except (ChangeRefused, NotFound) as refused:
        raise Failure(str(refused)) from None
    print_unaware(effective.wait_until_known(change))
    return 0


def _show(options: argparse.Namespace) -> int:
    print(_terms(options.tier) if options.tier else _places(options.organization))
    return 0


def _terms(name: str) -> str:
    from metering.limits.tables import Tier, TierLimit
    from metering.money import usd

    tier = Tier.objects.filter(pk=name).first()
    if tier is None:
        raise Failure(f"there is no tier “{name}”; there are {', '.join(Tier.objects.values_list('name', flat=True))}")
    numbers: dict[str, dict[str, int]] = {}
    for limit in TierLimit.objects.filter(tier=tier).order_by("id"):
        numbers.setdefault(limit.model_class, {})[limit.kind] = limit.capacity
    beside = numbers.pop("", {})
    rows = [(one, *(f"{kinds[kind]:,}" if kind in kinds else "-" for kind in _KINDS)) for one, kinds in numbers.items()]
    lines = [f"{tier.label}: {'no cap' if tier.monthly_picos is None else '$' + usd(int(tier.monthly_picos))} a month"]
    lines += [f"{beside[kind]:,} {words}" for kind, words in _RESOURCES.items() if kind in beside]
    if rule := _rule(tier):
        lines.append(rule)
    return "\n".join([*lines, "", table(_TERMS, rows, numbers=3)] if rows else lines)


def _rule(tier: "Tier") -> str:
    from metering.limits.tables import AdvanceRule
    from metering.money import usd

    rule = AdvanceRule.objects.filter(leaves=tier, is_enabled=True).select_related("enters").first()
    if rule is None:
        return ""
    wants = []
    if rule.spent_picos:
        wants.append(f"${usd(int(rule.spent_picos))} spent")
    if rule.age_days:
        wants.append(f"{rule.age_days} days of age")
    if rule.bought_picos:
        wants.append(f"${usd(int(rule.bought_picos))} of credits bought")
    return f"moves to {rule.enters.label} with {' and '.join(wants) or 'nothing more'}"


def _places(name: str | None) -> str:
    from apikeys import find
    from apikeys.errors import NotFound
    from apikeys.models import Organization
    from metering.limits.tables import TierChange, TierPin

    try:
        wanted = [find.organization(name)] if name else list(Organization.objects.order_by("name"))
    except NotFound as missing:
        raise Failure(str(missing)) from None
    pinned = set(TierPin.objects.values_list("organization_id", flat=True))
    changes = list(TierChange.objects.filter(organization_id__in=[one.id for one in wanted]).order_by("id"))
    since = {one.organization_id: one.changed_at for one in changes}
    rows = [
        (
            one.name,
            str(one.id),
            one.tier,
            "yes" if one.id in pinned else "no",
            f"{since.get(one.id, one.created_at):%Y-%m-%d %H:%M}",
        )
        for one in wanted
    ]
    shown = table(_PLACES, rows)
    if not name:
        return shown
    history = [f"{one.changed_at:%Y-%m-%d %H:%M}  {one.before} to {one.after}: {one.reason}" for one in changes]
    return "\n".join([shown, *history])
