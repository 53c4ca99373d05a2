"""The centre: buckets, what workers have drawn and posted, slots in use, and the functions that move them.

Levels are in units of 1/60,000,000 of a request or token, and times in microseconds: a bucket of L a minute then
refills by exactly L units a microsecond, in integers.
"""

from pathlib import Path

from django.db import migrations

TABLES = """
CREATE TABLE limit_bucket (
    organization_id uuid NOT NULL,
    level bigint NOT NULL,
    as_of_us bigint NOT NULL,
    scope text NOT NULL,
    model_class text NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (scope, model_class, kind)
) WITH (fillfactor = 50);

CREATE TABLE limit_worker (
    id uuid PRIMARY KEY,
    number bigint NOT NULL,
    answered bigint NOT NULL,
    beat_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    is_dead boolean NOT NULL DEFAULT false,
    host text NOT NULL,
    pid integer NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE limit_draw (
    worker_id uuid NOT NULL REFERENCES limit_worker ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    seq bigint NOT NULL,
    answer jsonb NOT NULL,
    PRIMARY KEY (worker_id, organization_id)
) WITH (fillfactor = 50);

CREATE TABLE limit_post (
    worker_id uuid NOT NULL REFERENCES limit_worker ON DELETE CASCADE,
    total bigint NOT NULL,
    scope text NOT NULL,
    model_class text NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (worker_id, scope, model_class, kind)
) WITH (fillfactor = 50);

CREATE TABLE limit_slot (
    worker_id uuid NOT NULL REFERENCES limit_worker ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    in_use integer NOT NULL,
    scope text NOT NULL,
    PRIMARY KEY (scope, worker_id)
) WITH (fillfactor = 50);
CREATE INDEX limit_slot_by_worker ON limit_slot (worker_id);
"""

NO_TABLES = "DROP TABLE limit_slot; DROP TABLE limit_post; DROP TABLE limit_draw; DROP TABLE limit_worker; DROP TABLE limit_bucket"

NO_FUNCTIONS = """
DROP FUNCTION tollgate_draw(uuid, bigint, uuid, jsonb);
DROP FUNCTION tollgate_beat(uuid, bigint, bigint, jsonb, jsonb, jsonb);
DROP FUNCTION tollgate_bury(uuid, bigint);
"""


def _sql(name: str) -> str:
    return (Path(__file__).parent / name).read_text()


class Migration(migrations.Migration):

    dependencies = [("metering", "0009_limits")]

    operations = [
        migrations.RunSQL(TABLES, NO_TABLES),
        migrations.RunSQL(_sql("0010_draw.sql") + _sql("0010_beat.sql"), NO_FUNCTIONS),
    ]
