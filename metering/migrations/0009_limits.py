"""Tiers and own limits, and what holds for everybody, worked out by one function whenever one of them changes."""

from decimal import Decimal

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import metering.picos
from metering.limits.tiers import shipped_limits, shipped_rules, shipped_tiers


def seed(apps, schema_editor):
    """Add what is missing; a tier that the operator has changed stays as it is."""
    for name, rows in (("Tier", shipped_tiers()), ("TierLimit", shipped_limits()), ("AdvanceRule", shipped_rules())):
        model = apps.get_model("metering", name)
        model.objects.bulk_create([model(**row) for row in rows], ignore_conflicts=True)


CLOCK = """
CREATE FUNCTION tollgate_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';
"""
NO_CLOCK = "DROP FUNCTION tollgate_now()"

# A tier gives its numbers to the organization's scope; an own limit takes the place of the tier's number of the same
# class and kind, or stands beside it. The version's row is locked first: nothing is drawn between two states.
REFRESH = """
ALTER TABLE limit_version SET (fillfactor = 50);

CREATE FUNCTION tollgate_refresh_limits(organization uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    new_version bigint;
    org_scope text := 'org:' || organization;
BEGIN
    INSERT INTO limit_version AS v (organization_id, version) VALUES (organization, 1)
        ON CONFLICT (organization_id) DO UPDATE SET version = v.version + 1
        RETURNING v.version INTO new_version;
    DELETE FROM limit_effective e WHERE e.organization_id = organization;
    INSERT INTO limit_effective (organization_id, scope, model_class, kind, capacity, picos, mode)
        SELECT organization, o.scope, o.model_class, o.kind, o.capacity, o.picos, o.mode
        FROM metering_ownlimit o WHERE o.organization_id = organization;
    INSERT INTO limit_effective (organization_id, scope, model_class, kind, capacity, picos, mode)
        SELECT organization, org_scope, l.model_class, l.kind, l.capacity, NULL, ''
        FROM apikeys_organization g JOIN metering_tierlimit l ON l.tier_id = g.tier
        WHERE g.id = organization AND l.kind IN ('requests', 'input_tokens', 'output_tokens')
        UNION ALL
        SELECT organization, org_scope, '', 'spend:tier', NULL, t.monthly_picos, 'bounded'
        FROM apikeys_organization g JOIN metering_tier t ON t.name = g.tier
        WHERE g.id = organization AND t.monthly_picos IS NOT NULL
        ON CONFLICT DO NOTHING;
    PERFORM pg_notify('tollgate_limits', organization::text);
    RETURN new_version;
END $$;

CREATE FUNCTION metering_organization_limits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tollgate_refresh_limits(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER metering_organization_made AFTER INSERT ON apikeys_organization
    FOR EACH ROW EXECUTE FUNCTION metering_organization_limits();
CREATE TRIGGER metering_organization_tier AFTER UPDATE OF tier ON apikeys_organization
    FOR EACH ROW WHEN (OLD.tier IS DISTINCT FROM NEW.tier) EXECUTE FUNCTION metering_organization_limits();
"""
NO_REFRESH = """
DROP TRIGGER metering_organization_tier ON apikeys_organization;
DROP TRIGGER metering_organization_made ON apikeys_organization;
DROP FUNCTION metering_organization_limits();
DROP FUNCTION tollgate_refresh_limits(uuid);
"""

ALL_ORGANIZATIONS = "SELECT tollgate_refresh_limits(id) FROM apikeys_organization"


class Migration(migrations.Migration):

    dependencies = [
        ("metering", "0003_usage_records"),
        ("apikeys", "0004_user_email_in_any_capitals"),
    ]

    operations = [
        migrations.CreateModel(
            name="EffectiveLimit",
            fields=[
                ("pk", models.CompositePrimaryKey("scope", "model_class", "kind", blank=True, editable=False, primary_key=True, serialize=False)),
                ("organization_id", models.UUIDField(db_index=True)),
                ("scope", models.TextField()),
                ("model_class", models.TextField(default="")),
                ("kind", models.TextField()),
                ("capacity", models.BigIntegerField(null=True)),
                ("picos", metering.picos.PicosField(decimal_places=0, default=None, max_digits=30, null=True)),
                ("mode", models.TextField(default="")),
            ],
            options={"db_table": "limit_effective"},
        ),
        migrations.CreateModel(
            name="LimitVersion",
            fields=[
                ("organization_id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.BigIntegerField()),
            ],
            options={"db_table": "limit_version"},
        ),
        migrations.CreateModel(
            name="Tier",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("label", models.CharField(max_length=60)),
                ("family", models.CharField(help_text="the ready-made set it belongs to", max_length=20)),
                ("rank", models.SmallIntegerField(help_text="its place within the family, the lowest first")),
                ("monthly_picos", metering.picos.PicosField(blank=True, decimal_places=0, default=None, help_text="most spend in a month; empty: no cap", max_digits=30, null=True)),
            ],
            options={"ordering": ["-family", "rank"]},
        ),
        migrations.CreateModel(
            name="TierPin",
            fields=[
                ("organization_id", models.UUIDField(primary_key=True, serialize=False)),
                ("pinned_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="OwnLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("organization_id", models.UUIDField(db_index=True)),
                ("scope", models.CharField(max_length=60)),
                ("model_class", models.CharField(blank=True, max_length=60)),
                ("kind", models.CharField(max_length=20)),
                ("capacity", models.BigIntegerField(null=True)),
                ("picos", metering.picos.PicosField(decimal_places=0, default=None, max_digits=30, null=True)),
                ("mode", models.CharField(blank=True, choices=[("observe", "Observe"), ("bounded", "Bounded"), ("strict", "Strict")], max_length=10)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("scope", "model_class", "kind"), name="one_own_limit")],
            },
        ),
        migrations.CreateModel(
            name="AdvanceRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("spent_picos", metering.picos.PicosField(decimal_places=0, default=Decimal("0"), help_text="spent since the organization exists", max_digits=30)),
                ("age_days", models.IntegerField(default=0)),
                ("bought_picos", metering.picos.PicosField(decimal_places=0, default=Decimal("0"), help_text="credits bought", max_digits=30)),
                ("is_enabled", models.BooleanField(default=True)),
                ("enters", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="metering.tier")),
                ("leaves", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="advance", to="metering.tier")),
            ],
        ),
        migrations.CreateModel(
            name="TierChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("organization_id", models.UUIDField()),
                ("before", models.CharField(max_length=40)),
                ("after", models.CharField(max_length=40)),
                ("reason", models.CharField(max_length=300)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "changed_at"], name="tier_change_by_time")],
            },
        ),
        migrations.CreateModel(
            name="TierLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model_class", models.CharField(blank=True, max_length=60)),
                ("kind", models.CharField(max_length=20)),
                ("capacity", models.BigIntegerField()),
                ("tier", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="limits", to="metering.tier")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tier", "model_class", "kind"), name="one_tier_limit")],
            },
        ),
        migrations.RunPython(seed, migrations.RunPython.noop, elidable=False),
        migrations.RunSQL(CLOCK, NO_CLOCK),
        migrations.RunSQL(REFRESH, NO_REFRESH),
        migrations.RunSQL(ALL_ORGANIZATIONS, migrations.RunSQL.noop),
    ]
