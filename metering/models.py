"""What it cost: prices, one row per attempt, rollups, and how far each journal has been shipped.

`UsageRecord` is partitioned by month, which Django cannot create: its table, and the rollups' unique keys over
nullable columns, come from SQL in the migrations. Money is `numeric(30,0)` pico-dollars (1e-12 USD).
"""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from metering.limits.tables import (
    AdvanceRule,
    CreditPurchase,
    EffectiveLimit,
    LimitVersion,
    OwnLimit,
    Tier,
    TierChange,
    TierLimit,
    TierPin,
)
from metering.picos import PicosField

__all__ = [
    "AdvanceRule",
    "Correction",
    "CreditPurchase",
    "EffectiveLimit",
    "JournalFolder",
    "LimitVersion",
    "OwnLimit",
    "PicosField",
    "Price",
    "Rollup",
    "Tier",
    "TierChange",
    "TierLimit",
    "TierPin",
    "Tokens",
    "UsageMinute",
    "UsageQuarterHour",
    "UsageRecord",
]


class Price(models.Model):
    """What one token of a model costs, in pico-dollars, from a moment on. Rows are added, never changed."""

    model = models.CharField(max_length=100)
    effective_from = models.DateTimeField()
    above_input_tokens = models.IntegerField(default=0, help_text="the band: prompts longer than this, in tokens")
    input_picos = PicosField()
    cache_write_5m_picos = PicosField()
    cache_write_1h_picos = PicosField()
    cache_read_picos = PicosField()
    output_picos = PicosField()
    fast_factor = models.IntegerField(null=True, blank=True, help_text="null: fast mode runs at the standard price")
    us_factor_percent = models.IntegerField(default=100, help_text="110 for models 4.6 and later")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "effective_from", "above_input_tokens"], name="one_price")
        ]


class Tokens(models.Model):
    """The counts and costs that a record and its rollups share."""

    uncached_input_tokens = models.BigIntegerField(default=0)
    cache_creation_5m_input_tokens = models.BigIntegerField(default=0)
    cache_creation_1h_input_tokens = models.BigIntegerField(default=0)
    cache_read_input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    web_search_requests = models.BigIntegerField(default=0)
    uncached_input_picos = PicosField()
    cache_creation_5m_picos = PicosField()
    cache_creation_1h_picos = PicosField()
    cache_read_picos = PicosField()
    output_picos = PicosField()
    web_search_picos = PicosField()
    cost_picos = PicosField()

    class Meta:
        abstract = True


class UsageRecord(Tokens):
    """One attempt of one authenticated request. Exactly one attempt per request is `final`.

    `requests` is 1 on the final row, 0 on the others, and n on a row that stands for n coalesced refusals.
    """

    pk = models.CompositePrimaryKey("started_at", "request_id", "attempt")
    started_at = models.DateTimeField()
    request_id = models.CharField(max_length=40)
    attempt = models.SmallIntegerField(default=1)
    is_final = models.BooleanField()
    requests = models.IntegerField()
    last_request_id = models.CharField(max_length=40, blank=True)
    organization_id = models.UUIDField()
    workspace_id = models.CharField(max_length=40, null=True)
    api_key_id = models.CharField(max_length=40, null=True)
    account_id = models.CharField(max_length=40, null=True)
    endpoint = models.CharField(max_length=40)
    requested_model = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    upstream = models.CharField(max_length=60, blank=True)
    upstream_request_id = models.CharField(max_length=200, blank=True)
    message_id = models.CharField(max_length=100, blank=True)
    outcome = models.CharField(max_length=20)
    reason = models.CharField(max_length=60, blank=True)
    status = models.SmallIntegerField()
    error_type = models.CharField(max_length=60, blank=True)
    stop_reason = models.CharField(max_length=60, blank=True)
    is_stream = models.BooleanField()
    is_simulated = models.BooleanField()
    is_estimated = models.BooleanField()
    is_unpriced = models.BooleanField()
    service_tier = models.CharField(max_length=20, blank=True)
    context_window = models.CharField(max_length=10, blank=True)
    inference_geo = models.CharField(max_length=20, blank=True)
    speed = models.CharField(max_length=20, blank=True)
    usage = models.JSONField(null=True)
    first_byte_us = models.BigIntegerField(null=True)
    duration_us = models.BigIntegerField(null=True)
    client_retry_count = models.SmallIntegerField(default=0)
    user_agent = models.CharField(max_length=200, blank=True)

    class Meta:
        managed = False
        db_table = "metering_usagerecord"


class Rollup(Tokens):
    """Sums over the rows of one interval that agree in every dimension. Empty text means "not known"."""

    started_at = models.DateTimeField()
    organization_id = models.UUIDField()
    workspace_id = models.CharField(max_length=40, default="")
    api_key_id = models.CharField(max_length=40, default="")
    account_id = models.CharField(max_length=40, default="")
    model = models.CharField(max_length=200, default="")
    service_tier = models.CharField(max_length=20, default="")
    context_window = models.CharField(max_length=10, default="")
    inference_geo = models.CharField(max_length=20, default="")
    speed = models.CharField(max_length=20, default="")
    upstream = models.CharField(max_length=60, default="")
    outcome = models.CharField(max_length=20, default="")
    is_simulated = models.BooleanField(default=False)
    requests = models.BigIntegerField(default=0)

    KEY: ClassVar[tuple[str, ...]] = (
        "organization_id",
        "started_at",
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
        "is_simulated",
    )

    class Meta:
        abstract = True


class UsageMinute(Rollup):
    """By minute, kept 40 days."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=Rollup.KEY, name="one_usage_minute")]


class UsageQuarterHour(Rollup):
    """By quarter of an hour, kept for good: the finest grain that fits every time zone."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=Rollup.KEY, name="one_usage_quarter_hour")]


class Correction(Rollup):
    """Late truth: a difference to what was recorded, with its reason. Records themselves never change."""

    reason = models.CharField(max_length=300)
    request_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now)


class JournalFolder(models.Model):
    """How far one process's journal has been shipped.

    A shipper that starts anew reads from (segment, offset), where the oldest running request begins; all that ended
    before (shipped_segment, shipped_offset) is in the ledger.
    """

    id = models.UUIDField(primary_key=True)
    segment = models.IntegerField(default=0)
    offset = models.BigIntegerField(default=0)
    shipped_segment = models.IntegerField(default=0)
    shipped_offset = models.BigIntegerField(default=0)
    is_closed = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
