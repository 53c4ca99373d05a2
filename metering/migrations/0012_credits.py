"""Credit that organizations bought."""

from decimal import Decimal

import django.utils.timezone
from django.db import migrations, models

import metering.picos


class Migration(migrations.Migration):

    dependencies = [("metering", "0011_limits_money")]

    operations = [
        migrations.CreateModel(
            name="CreditPurchase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("organization_id", models.UUIDField()),
                ("picos", metering.picos.PicosField(decimal_places=0, default=Decimal("0"), max_digits=30)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("bought_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "bought_at"], name="credit_by_time")],
            },
        ),
    ]
