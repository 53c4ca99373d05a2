"""The ledger's rows, partitioned by month; rollups that are rewritten in place; how far journals are shipped."""

from django.db import migrations, models

# Fixed widths first, so that no padding is stored. Three indexes, because each costs every request.
ROWS = """
CREATE TABLE metering_usagerecord (
    started_at timestamptz NOT NULL,
    organization_id uuid NOT NULL,
    uncached_input_tokens bigint NOT NULL,
    cache_creation_5m_input_tokens bigint NOT NULL,
    cache_creation_1h_input_tokens bigint NOT NULL,
    cache_read_input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    web_search_requests bigint NOT NULL,
    first_byte_us bigint,
    duration_us bigint,
    requests integer NOT NULL,
    attempt smallint NOT NULL,
    status smallint NOT NULL,
    client_retry_count smallint NOT NULL,
    is_final boolean NOT NULL,
    is_stream boolean NOT NULL,
    is_simulated boolean NOT NULL,
    is_estimated boolean NOT NULL,
    is_unpriced boolean NOT NULL,
    request_id varchar(40) NOT NULL,
    last_request_id varchar(40) NOT NULL,
    workspace_id varchar(40),
    api_key_id varchar(40),
    account_id varchar(40),
    endpoint varchar(40) NOT NULL,
    requested_model varchar(200) NOT NULL,
    model varchar(200) NOT NULL,
    upstream varchar(60) NOT NULL,
    upstream_request_id varchar(200) NOT NULL,
    message_id varchar(100) NOT NULL,
    outcome varchar(20) NOT NULL,
    reason varchar(60) NOT NULL,
    error_type varchar(60) NOT NULL,
    stop_reason varchar(60) NOT NULL,
    service_tier varchar(20) NOT NULL,
    context_window varchar(10) NOT NULL,
    inference_geo varchar(20) NOT NULL,
    speed varchar(20) NOT NULL,
    user_agent varchar(200) NOT NULL,
    uncached_input_picos numeric(30,0) NOT NULL,
    cache_creation_5m_picos numeric(30,0) NOT NULL,
    cache_creation_1h_picos numeric(30,0) NOT NULL,
    cache_read_picos numeric(30,0) NOT NULL,
    output_picos numeric(30,0) NOT NULL,
    web_search_picos numeric(30,0) NOT NULL,
    cost_picos numeric(30,0) NOT NULL,
    usage jsonb,
    PRIMARY KEY (started_at, request_id, attempt)
) PARTITION BY RANGE (started_at);

CREATE INDEX usagerecord_by_organization ON metering_usagerecord (organization_id, started_at DESC);
CREATE INDEX usagerecord_by_request ON metering_usagerecord (request_id);

CREATE TABLE metering_usagerecord_default PARTITION OF metering_usagerecord DEFAULT;
"""

# A rollup's row is updated many times within its interval: room on its page keeps that from touching the index.
ROLLUPS = """
ALTER TABLE metering_usageminute SET (fillfactor = 50);
ALTER TABLE metering_usagequarterhour SET (fillfactor = 70);
"""


class Migration(migrations.Migration):

    dependencies = [("metering", "0002_prices")]

    operations = [
        migrations.RunSQL(ROWS, "DROP TABLE metering_usagerecord"),
        migrations.RunSQL(ROLLUPS, migrations.RunSQL.noop),
        migrations.AddField("journalfolder", "shipped_segment", models.IntegerField(default=0)),
        migrations.AddField("journalfolder", "shipped_offset", models.BigIntegerField(default=0)),
    ]
