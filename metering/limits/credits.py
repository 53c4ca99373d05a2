"""Prepaid credit: what an organization bought, less what it has spent since it began to, is all that it may spend."""

from django.db import connection
from django.db.models import Sum

from apikeys import audit
from apikeys.audit import Actor
from apikeys.errors import ChangeRefused
from apikeys.models import Organization
from metering.limits import scopes
from metering.limits.actions import MOST_PICOS
from metering.limits.effective import Change, changing, refresh
from metering.limits.tables import CreditPurchase, Mode, OwnLimit

KIND = "spend:always"


def add_credit(organization: Organization, picos: int, *, note: str = "", actor: Actor) -> Change:
    """Sell an organization credit, in pico-dollars. The first purchase makes it a prepaid one."""
    if not 0 < picos <= MOST_PICOS:
        raise ChangeRefused("Credit is an amount above 0.", code="bad_amount")
    with changing(organization.id) as change:
        scope = scopes.of_organization(str(organization.id))
        limit = OwnLimit.objects.filter(scope=scope, model_class="", kind=KIND).first() or OwnLimit(
            organization_id=organization.id, scope=scope, kind=KIND, picos=spent_ever(organization)
        )
        before = int(limit.picos or 0)
        limit.picos, limit.mode = before + picos, Mode.STRICT
        limit.save()
        CreditPurchase.objects.create(organization_id=organization.id, picos=picos, note=note)
        refresh(organization.id)
        audit.record(
            actor,
            "credit_added",
            organization=organization,
            object_type="organization",
            object_id=str(organization.id),
            after={"picos": str(picos), "note": note},
        )
    return change


def bought(organization: Organization) -> int:
    """All credit it ever bought, in pico-dollars."""
    found = CreditPurchase.objects.filter(organization_id=organization.id).aggregate(sum=Sum("picos"))
    return int(found["sum"] or 0)


def spent_ever(organization: Organization) -> int:
    """What it has spent since it exists, as the centre counts it, in pico-dollars."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT spent FROM spend_counter WHERE scope = %s AND period = 'always'",
            [scopes.of_organization(str(organization.id))],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
