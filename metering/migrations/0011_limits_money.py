"""What is spent and held, per scope and period: counters, who holds how much, and the functions that move both."""

from pathlib import Path

from django.db import migrations

TABLES = """
CREATE TABLE spend_counter (
    organization_id uuid NOT NULL,
    spent numeric(30,0) NOT NULL,
    held numeric(30,0) NOT NULL,
    scope text NOT NULL,
    period text NOT NULL,
    PRIMARY KEY (scope, period)
) WITH (fillfactor = 50);

CREATE TABLE spend_hold (
    holder uuid NOT NULL,
    organization_id uuid NOT NULL,
    drawn numeric(30,0) NOT NULL,
    returned numeric(30,0) NOT NULL,
    shipped numeric(30,0) NOT NULL,
    scope text NOT NULL,
    period text NOT NULL,
    PRIMARY KEY (holder, scope, period)
) WITH (fillfactor = 50);
"""
NO_TABLES = "DROP TABLE spend_hold; DROP TABLE spend_counter"

FUNCTIONS = (Path(__file__).parent / "0011_money.sql").read_text()
NO_FUNCTIONS = """
DROP FUNCTION tollgate_ship_money(uuid[]);
DROP FUNCTION tollgate_money_state(uuid, uuid, jsonb, timestamptz);
DROP FUNCTION tollgate_take_money(uuid, uuid, jsonb, timestamptz);
DROP FUNCTION tollgate_pay_money(uuid, uuid, jsonb, timestamptz);
DROP FUNCTION tollgate_move_money(uuid, uuid, text, text, numeric, numeric, numeric);
DROP FUNCTION tollgate_test_money(uuid, jsonb, timestamptz);
DROP FUNCTION tollgate_money_limits(uuid, jsonb);
DROP FUNCTION tollgate_may_hold(uuid);
DROP FUNCTION tollgate_period(text, timestamptz);
DROP FUNCTION tollgate_period(text, text);
"""

# What was spent before there were counters. Simulated answers count only where there are no others.
EARLIER = """
INSERT INTO spend_counter (organization_id, spent, held, scope, period)
SELECT u.organization_id, sum(u.cost_picos), 0, t.scope, tollgate_period(k.kind, u.started_at)
FROM metering_usagequarterhour u
CROSS JOIN LATERAL (VALUES
    ('org:' || u.organization_id), ('ws:' || nullif(u.workspace_id, '')), ('key:' || nullif(u.api_key_id, ''))
) AS t (scope)
CROSS JOIN (VALUES ('spend:month'), ('spend:day'), ('spend:always')) AS k (kind)
WHERE u.cost_picos > 0 AND t.scope IS NOT NULL
    AND (NOT u.is_simulated OR NOT EXISTS (SELECT FROM metering_usagequarterhour r WHERE NOT r.is_simulated))
GROUP BY u.organization_id, t.scope, tollgate_period(k.kind, u.started_at)
"""


class Migration(migrations.Migration):

    dependencies = [("metering", "0010_limits_centre")]

    operations = [
        migrations.RunSQL(TABLES, NO_TABLES),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.RunSQL(EARLIER, migrations.RunSQL.noop),
    ]
