"""Moving organizations up by themselves, by rules that the operator can edit. Done by one process of a cluster."""

from datetime import datetime, timedelta

from apikeys.audit import Actor
from apikeys.models import Organization
from metering.limits.actions import set_tier
from metering.limits.credits import bought, spent_ever
from metering.limits.tables import AdvanceRule, TierPin
from metering.money import usd

ACTOR = Actor("operator_actor", "tier-rules")


def advance_all(now: datetime) -> list[Organization]:
    """One step for everybody who has reached the next tier, and is not pinned; who has moved."""
    rules = {rule.leaves_id: rule for rule in AdvanceRule.objects.filter(is_enabled=True)}
    pinned = TierPin.objects.values("organization_id")
    candidates = Organization.objects.filter(archived_at=None, tier__in=rules).exclude(id__in=pinned)
    moved = []
    for organization in candidates.order_by("id"):
        rule = rules[organization.tier]
        if reason := reached(rule, organization, now):
            set_tier(organization, rule.enters_id, leaves=rule.leaves_id, reason=reason, actor=ACTOR)
            moved.append(organization)
    return moved


def reached(rule: AdvanceRule, organization: Organization, now: datetime) -> str:
    """In words what has been reached; empty while anything is missing."""
    age = now - organization.created_at
    if age < timedelta(days=rule.age_days):
        return ""
    spent = spent_ever(organization)
    paid = bought(organization) if rule.bought_picos else 0
    if spent < rule.spent_picos or paid < rule.bought_picos:
        return ""
    told = [f"{age.days} days old"]
    if rule.spent_picos:
        told.append(f"${usd(spent)} spent")
    if rule.bought_picos:
        told.append(f"${usd(paid)} of credits bought")
    return ", ".join(told)
