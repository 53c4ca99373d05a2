"""A database that is slow or away: a page that says so, never a 500."""

import psycopg
import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from apikeys.console import frame
from tests.console.conftest import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_query_that_takes_too_long_is_cut_off_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    acme = make_tenant("acme")
    client = acme.signed_in()
    client.get(acme.address("keys"))
    monkeypatch.setattr(frame, "STATEMENT_TIMEOUT_MS", 200)

    with psycopg.connect(settings.DATABASE_URL) as other:
        other.execute("LOCK TABLE apikeys_apikey IN ACCESS EXCLUSIVE MODE")
        page = client.get(acme.address("keys"))

    assert page.status_code == 503
    assert page["retry-after"] == "5"
    assert "takes too long" in page.text
    assert page["request-id"] in page.text
    assert client.get(acme.address("keys")).status_code == 200


def test_the_limit_ends_with_the_page() -> None:
    from django.db import connection

    acme = make_tenant("acme")
    acme.signed_in().get(acme.address("keys"))

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_reading_page_cannot_write_and_sees_one_moment() -> None:
    from django.db import connection

    with frame._console_transaction(reads_only=True), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("repeatable read", "on")
    with frame._console_transaction(reads_only=False), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("read committed", "off")


def test_a_lost_connection_is_503_and_the_apis_answer_for_themselves() -> None:
    from django.db import OperationalError

    from apikeys.console.outage import Outage

    outage = Outage(lambda request: pytest.fail("not called"))
    lost = OperationalError("connection is lost")

    page = outage.process_exception(RequestFactory().get("/c/x"), lost)

    assert page is not None
    assert page.status_code == 503
    assert "does not answer" in page.text
    assert outage.process_exception(RequestFactory().get("/v1/organizations/cost_report"), lost) is None
    assert outage.process_exception(RequestFactory().get("/c/x"), KeyError("x")) is None
    assert Client().get("/nowhere").status_code == 404
