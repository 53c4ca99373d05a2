"""The Limits room: from the tier down to keys, what holds, what is used and held, and which limit wins."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apikeys.console.frame import room
from apikeys.console.place import Place
from metering.limits import scopes
from metering.limits.standing import Line
from metering.limits.tables import AdvanceRule, Tier, TierChange, TierPin
from metering.limits.tree import Node, tree

KINDS = {"requests": "Requests a minute", "input_tokens": "Input tokens a minute", "output_tokens": "Output a minute"}
OTHERS = {
    "concurrency": "Requests at once",
    "spend:month": "Spend a month",
    "spend:day": "Spend a day",
    "spend:always": "Prepaid credit",
    "spend:tier": "Spend a month, by the tier",
}
CHANGES = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """One limit in a table; `wins` when it would stop a request first."""

    line: Line
    wins: bool
    label: str

    @property
    def percent_left(self) -> float:
        return round(100 * self.line.left / self.line.limit, 1) if self.line.limit else 0.0


@dataclass(frozen=True, slots=True)
class Rates:
    """The limits by the minute of one model class; None where there is none of that kind."""

    model_class: str
    cells: list[Cell | None]


@dataclass(frozen=True, slots=True)
class Branch:
    """One scope of the tree."""

    node: Node
    rates: list[Rates]
    others: list[Cell]


@room("limits")
def page(request: HttpRequest, place: Place) -> HttpResponse:
    organization = place.organization
    tier = Tier.objects.filter(pk=organization.tier).first()
    return render(
        request,
        "metering/limits.html",
        {
            "now": timezone.now(),
            "tier": tier,
            "is_pinned": TierPin.objects.filter(pk=organization.id).exists(),
            "rule": AdvanceRule.objects.filter(leaves=tier, is_enabled=True).select_related("enters").first(),
            "changes": TierChange.objects.filter(organization_id=organization.id).order_by("-id")[:CHANGES],
            "kinds": KINDS.values(),
            "branches": [_branch(node, place) for node in tree(organization) if _may_see(node, place)],
        },
    )


def _may_see(node: Node, place: Place) -> bool:
    if node.workspace is None:
        return True
    if place.workspace is not None:
        return node.workspace == place.workspace
    return place.sees_all("limits") or place.may("limits", node.workspace.id)


def _branch(node: Node, place: Place) -> Branch:
    """What all of the organization spend is for those who see all of it; its rates bind everybody."""
    shows_money = node.workspace is not None or place.sees_all("limits")
    cells = [
        Cell(line, node.wins(line), KINDS.get(line.kind) or OTHERS[line.kind])
        for line in node.lines
        if shows_money or not line.is_money
    ]
    by_class: dict[str, dict[str, Cell]] = {}
    for cell in cells:
        if cell.line.kind in scopes.KINDS:
            by_class.setdefault(cell.line.model_class, {})[cell.line.kind] = cell
    rates = [Rates(name, [by_kind.get(kind) for kind in KINDS]) for name, by_kind in by_class.items()]
    return Branch(node, rates, [cell for cell in cells if cell.line.kind not in scopes.KINDS])
