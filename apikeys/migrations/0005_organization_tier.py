from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("apikeys", "0004_user_email_in_any_capitals"),
    ]

    operations = [
        migrations.AlterField(
            model_name="organization",
            name="tier",
            field=models.CharField(default="custom", max_length=40),
        ),
    ]
