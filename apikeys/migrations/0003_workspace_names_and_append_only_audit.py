from django.db import migrations, models


class Migration(migrations.Migration):
    """A workspace's name is free again once it is archived; audit entries can be added and nothing else."""

    dependencies = [("apikeys", "0002_ratelimit")]

    operations = [
        migrations.RemoveConstraint(model_name="workspace", name="workspace_name_once"),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.UniqueConstraint(
                fields=["organization", "name"], condition=models.Q(archived_at=None), name="workspace_name_once"
            ),
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION apikeys_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'audit entries are never updated or deleted';
            END $$;
            CREATE TRIGGER apikeys_auditentry_append_only BEFORE UPDATE OR DELETE ON apikeys_auditentry
                FOR EACH ROW EXECUTE FUNCTION apikeys_refuse_change();
            """,
            """
            DROP TRIGGER apikeys_auditentry_append_only ON apikeys_auditentry;
            DROP FUNCTION apikeys_refuse_change();
            """,
        ),
    ]
