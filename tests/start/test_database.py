"""The test database itself: what other tests may rely on."""

import psycopg
import pytest
from django.conf import settings

from apikeys.models import Organization


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_again", [1, 2])
def test_connections_of_their_own_meet_the_test_database_and_it_is_emptied(_again: int) -> None:
    Organization.objects.create(name="acme")

    with psycopg.connect(settings.DATABASE_URL) as connection:
        (names,) = connection.execute("SELECT array_agg(name) FROM apikeys_organization").fetchone()

    assert names == ["acme"]


@pytest.mark.django_db
def test_the_application_is_no_superuser() -> None:
    with psycopg.connect(settings.DATABASE_URL) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
