"""Organizations move up by the rules, and stay where they are pinned; credit is what was bought."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from apikeys import actions as keys
from apikeys.actions import Actor
from apikeys.models import AuditEntry, Organization
from metering.limits.actions import set_tier
from metering.limits.advance import advance_all
from metering.limits.credits import add_credit, bought
from metering.limits.tables import AdvanceRule, EffectiveLimit, Tier, TierChange, TierLimit
from tests.console.conftest import Tenant, make_tenant

ME = Actor.command_line()
USD = 10**12


def make(tier: str, *, days: int = 0, spent: int = 0) -> Organization:
    made = keys.create_organization(f"{tier} {days} {spent}", tier=tier, actor=ME)
    made.created_at -= timedelta(days=days)
    made.save()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO spend_counter (organization_id, spent, held, scope, period) VALUES (%s, %s, 0, %s, 'always')",
            [made.id, spent, f"org:{made.id}"],
        )
    return made


def tier_after(organization: Organization) -> str:
    from django.utils import timezone

    advance_all(timezone.now())
    organization.refresh_from_db()
    return organization.tier


@pytest.mark.parametrize(
    ("tier", "days", "spent", "after"),
    [
        ("evaluation", 7, 5 * USD, "start"),
        ("evaluation", 6, 5 * USD, "evaluation"),
        ("evaluation", 7, 5 * USD - 1, "evaluation"),
        ("start", 400, 10_000 * USD, "build"),
        ("scale", 400, 10_000 * USD, "scale"),
        ("custom", 400, 10_000 * USD, "custom"),
        ("tier_1", 400, 10_000 * USD, "tier_1"),
    ],
)
def test_one_step_when_everything_is_reached(db: None, tier: str, days: int, spent: int, after: str) -> None:
    assert tier_after(make(tier, days=days, spent=spent)) == after


def test_a_move_has_its_history_its_audit_entry_and_its_limits(db: None) -> None:
    organization = make("evaluation", days=8, spent=6 * USD)
    assert tier_after(organization) == "start"

    change = TierChange.objects.get(organization_id=organization.id)
    assert (change.before, change.after, change.reason) == ("evaluation", "start", "8 days old, $6 spent")
    entry = AuditEntry.objects.get(action="tier_changed")
    assert (entry.actor_id, entry.organization) == ("tier-rules", organization)
    limit = EffectiveLimit.objects.get(organization_id=organization.id, model_class="Opus 5", kind="requests")
    assert limit.capacity == 1_000


def test_a_pinned_one_stays_and_so_does_one_whose_rule_is_off(db: None) -> None:
    organization = make("evaluation", days=8, spent=6 * USD)
    set_tier(organization, "evaluation", is_pinned=True, actor=ME)
    assert tier_after(organization) == "evaluation"

    set_tier(organization, "evaluation", is_pinned=False, actor=ME)
    AdvanceRule.objects.update(is_enabled=False)
    assert tier_after(organization) == "evaluation"


def test_a_classic_tier_is_reached_with_credits(db: None) -> None:
    organization = make("tier_1")
    add_credit(organization, 25 * USD, actor=ME)
    assert tier_after(organization) == "tier_1"
    add_credit(organization, 15 * USD, note="invoice 7", actor=ME)

    assert tier_after(organization) == "tier_2"
    assert bought(organization) == 40 * USD


def test_credit_is_strict_and_counts_from_the_first_purchase_on(db: None) -> None:
    organization = make("scale", spent=3 * USD)
    add_credit(organization, 10 * USD, actor=ME)
    add_credit(organization, 5 * USD, actor=ME)

    limit = EffectiveLimit.objects.get(organization_id=organization.id, kind="spend:always")
    assert (int(limit.picos or 0), limit.mode) == (18 * USD, "strict")


@pytest.fixture
def operator(db: None) -> tuple[Tenant, Client]:
    tenant = make_tenant("acme")
    tenant.admin.is_staff = tenant.admin.is_superuser = True
    tenant.admin.save()
    return tenant, tenant.signed_in()


def test_an_operator_edits_a_tier_and_it_holds_at_once(operator: tuple[Tenant, Client]) -> None:
    tenant, client = operator
    limits = list(TierLimit.objects.filter(tier="scale").order_by("id"))
    form: dict[str, object] = {
        "label": "Scale",
        "monthly_picos": str(5 * USD),
        "limits-TOTAL_FORMS": len(limits),
        "limits-INITIAL_FORMS": len(limits),
    }
    for index, limit in enumerate(limits):
        form |= {
            f"limits-{index}-id": limit.pk,
            f"limits-{index}-tier": "scale",
            f"limits-{index}-model_class": limit.model_class,
            f"limits-{index}-kind": limit.kind,
            f"limits-{index}-capacity": 77
            if (limit.model_class, limit.kind) == ("Opus 5", "requests")
            else limit.capacity,
        }

    set_tier(tenant.organization, "scale", reason="a trial", actor=ME)
    answer = client.post("/operator/metering/tier/scale/change/", form)

    assert answer.status_code == 302, answer.context["errors"]
    held = EffectiveLimit.objects.filter(organization_id=tenant.organization.id)
    assert held.get(model_class="Opus 5", kind="requests").capacity == 77
    assert int(held.get(kind="spend:tier").picos or 0) == 5 * USD
    entry = AuditEntry.objects.get(action="tier_edited")
    assert entry.after == {"Opus 5 requests": 77, "monthly_picos": str(5 * USD)}
    assert entry.before == {"Opus 5 requests": 10_000, "monthly_picos": str(200_000 * USD)}


def test_staff_who_are_no_superusers_only_look(operator: tuple[Tenant, Client]) -> None:
    tenant, client = operator
    tenant.admin.is_superuser = False
    tenant.admin.save()

    assert client.get("/operator/metering/tier/scale/change/").status_code == 200
    assert client.post("/operator/metering/tier/scale/change/", {"label": "Mine"}).status_code == 403
    assert Tier.objects.get(pk="scale").label == "Scale"
