"""The shipped prices; rows are never changed, and every worker hears of new ones."""

from django.db import migrations

from metering.price_list import SHIPPED, columns


def seed(apps, schema_editor):
    """Add what is missing. The migration of a later price list calls this again."""
    price = apps.get_model("metering", "Price")
    price.objects.bulk_create([price(**columns(row)) for row in SHIPPED], ignore_conflicts=True)


TRIGGERS = """
CREATE FUNCTION metering_price_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a price is never changed or removed: add a row that is effective from a later moment';
END $$;
CREATE TRIGGER metering_price_stays BEFORE UPDATE OR DELETE ON metering_price
    FOR EACH ROW EXECUTE FUNCTION metering_price_stays();

CREATE FUNCTION metering_price_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tollgate_prices', '');
    RETURN NULL;
END $$;
CREATE TRIGGER metering_price_added AFTER INSERT ON metering_price
    FOR EACH STATEMENT EXECUTE FUNCTION metering_price_added();
"""

NO_TRIGGERS = """
DROP TRIGGER metering_price_added ON metering_price;
DROP FUNCTION metering_price_added;
DROP TRIGGER metering_price_stays ON metering_price;
DROP FUNCTION metering_price_stays;
"""


class Migration(migrations.Migration):

    dependencies = [("metering", "0001_initial")]

    operations = [
        migrations.RunPython(seed, migrations.RunPython.noop, elidable=False),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
