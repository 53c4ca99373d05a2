from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    """One mail address is one person, in whatever capitals it was typed."""

    dependencies = [("apikeys", "0003_workspace_names_and_append_only_audit")]

    operations = [
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(Lower("email"), name="user_email_in_any_capitals"),
        ),
    ]
