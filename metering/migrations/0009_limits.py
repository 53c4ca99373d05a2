"""What limits hold for whom, in the form that the centre and the workers read; and the centre's clock."""

from django.db import migrations

CLOCK = """
CREATE FUNCTION tollgate_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';
"""

EFFECTIVE = """
CREATE TABLE limit_effective (
    organization_id uuid NOT NULL,
    scope text NOT NULL,
    model_class text NOT NULL,
    kind text NOT NULL,
    capacity bigint,
    picos numeric(30,0),
    mode text NOT NULL DEFAULT '',
    PRIMARY KEY (scope, model_class, kind)
);
CREATE INDEX limit_effective_by_organization ON limit_effective (organization_id);

CREATE TABLE limit_version (
    organization_id uuid PRIMARY KEY,
    version bigint NOT NULL
) WITH (fillfactor = 50);
"""


class Migration(migrations.Migration):

    dependencies = [("metering", "0003_usage_records")]

    operations = [
        migrations.RunSQL(CLOCK, "DROP FUNCTION tollgate_now()"),
        migrations.RunSQL(EFFECTIVE, "DROP TABLE limit_effective; DROP TABLE limit_version"),
    ]
