from django.db import migrations


class Migration(migrations.Migration):
    """The table of `apikeys.ratelimit_cache`. UNLOGGED: losing it in a crash forgives attempts, nothing more."""

    dependencies = [("apikeys", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE UNLOGGED TABLE apikeys_ratelimit (
                key text PRIMARY KEY,
                value jsonb NOT NULL,
                expires_at timestamptz NOT NULL
            );
            CREATE INDEX apikeys_ratelimit_expires ON apikeys_ratelimit (expires_at);
            """,
            "DROP TABLE apikeys_ratelimit",
        ),
    ]
