"""What limits are made of: tiers, own limits, who is in which tier; and what holds, worked out from them.

`limit_effective` and `limit_version` are written by one SQL function, `tollgate_refresh_limits(organization)`, and read
by whatever admits requests. Money is whole pico-dollars (1e-12 USD).
"""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from metering.picos import PicosField


class Mode(models.TextChoices):
    """How a spend limit holds: it only alarms, ends at most one request above, or is never passed."""

    OBSERVE = "observe"
    BOUNDED = "bounded"
    STRICT = "strict"


class Tier(models.Model):
    """A usage tier. Its `name` is what `Organization.tier` holds."""

    name = models.CharField(max_length=40, primary_key=True)
    label = models.CharField(max_length=60)
    family = models.CharField(max_length=20, help_text="the ready-made set it belongs to")
    rank = models.SmallIntegerField(help_text="its place within the family, the lowest first")
    monthly_picos = PicosField(null=True, blank=True, default=None, help_text="most spend in a month; empty: no cap")

    class Meta:
        ordering: ClassVar = ["-family", "rank"]

    def __str__(self) -> str:
        return self.label


class TierLimit(models.Model):
    """One number of a tier: a minute of `kind` for a model class, or a resource beside Messages (class empty)."""

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="limits")
    model_class = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=20)
    capacity = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["tier", "model_class", "kind"], name="one_tier_limit")]


class AdvanceRule(models.Model):
    """An organization moves by itself from one tier to another when all three thresholds are reached."""

    leaves = models.OneToOneField(Tier, on_delete=models.CASCADE, related_name="advance")
    enters = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="+")
    spent_picos = PicosField(help_text="spent since the organization exists")
    age_days = models.IntegerField(default=0)
    bought_picos = PicosField(help_text="credits bought")
    is_enabled = models.BooleanField(default=True)


class TierPin(models.Model):
    """This organization stays in its tier, whatever the rules say."""

    organization_id = models.UUIDField(primary_key=True)
    pinned_at = models.DateTimeField(default=timezone.now)


class TierChange(models.Model):
    """One move of an organization from tier to tier. Rows are added, never changed."""

    organization_id = models.UUIDField()
    before = models.CharField(max_length=40)
    after = models.CharField(max_length=40)
    reason = models.CharField(max_length=300)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization_id", "changed_at"], name="tier_change_by_time")]


class OwnLimit(models.Model):
    """A limit that somebody set on an organization, a workspace or a key. Tokens in `capacity`, money in `picos`."""

    organization_id = models.UUIDField(db_index=True)
    scope = models.CharField(max_length=60)
    model_class = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=20)
    capacity = models.BigIntegerField(null=True)
    picos = PicosField(null=True, default=None)
    mode = models.CharField(max_length=10, blank=True, choices=Mode.choices)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "model_class", "kind"], name="one_own_limit"),
        ]


class CreditPurchase(models.Model):
    """Credit that an organization bought. Once it has bought some, it spends no more than what it has."""

    organization_id = models.UUIDField()
    picos = PicosField()
    note = models.CharField(max_length=300, blank=True)
    bought_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization_id", "bought_at"], name="credit_by_time")]


class EffectiveLimit(models.Model):
    """What holds for a scope. Kinds: `requests`, `input_tokens`, `output_tokens` a minute, `concurrency`; in money
    `spend:month`, `spend:day` and `spend:always`, and `spend:tier`: the tier's monthly cap on an organization.
    """

    pk = models.CompositePrimaryKey("scope", "model_class", "kind")
    organization_id = models.UUIDField(db_index=True)
    scope = models.TextField()
    model_class = models.TextField(default="")
    kind = models.TextField()
    capacity = models.BigIntegerField(null=True)
    picos = PicosField(null=True, default=None)
    mode = models.TextField(default="")

    class Meta:
        db_table = "limit_effective"


class LimitVersion(models.Model):
    """Counts the changes of an organization's limits. Its row is the lock under which they are drawn from."""

    organization_id = models.UUIDField(primary_key=True)
    version = models.BigIntegerField()

    class Meta:
        db_table = "limit_version"
