"""The operator's pages: staff alone, everything to look at, and no change past the audit trail."""

import pytest
from django.contrib import admin
from django.test import Client

from apikeys.models import AuditEntry, User
from metering.models import Price
from relay import credentials
from relay.actions import add_upstream
from relay.models import Upstream
from tests.console.conftest import OPERATOR, Tenant

UPSTREAMS = "/operator/relay/upstream/"


@pytest.fixture
def operator(acme: Tenant) -> Client:
    acme.admin.is_staff = acme.admin.is_superuser = True
    acme.admin.save()
    return acme.signed_in()


def test_only_staff_come_in_and_by_our_own_door(acme: Tenant) -> None:
    assert Client().get("/operator/")["location"].startswith("/operator/login/")
    door = Client().get("/operator/login/?next=/operator/")
    assert door["location"] == "/account/login/?next=%2Foperator%2F"
    member = acme.signed_in().get("/operator/", follow=True)
    assert member.status_code == 403


def test_every_page_of_every_table_opens(operator: Client, acme: Tenant) -> None:
    add_upstream("anthropic", "main", credential="secret", actor=OPERATOR)

    for model in admin.site._registry:
        table = f"/operator/{model._meta.app_label}/{model._meta.model_name}/"
        assert operator.get(table).status_code == 200, table
        first = model._default_manager.first()
        if first is not None:
            assert operator.get(f"{table}{first.pk}/change/").status_code == 200, table


def test_nothing_audited_can_be_changed_past_its_action(operator: Client, acme: Tenant) -> None:
    before = User.objects.count()

    for path in ("organization", "workspace", "user", "membership", "apikey", "auditentry"):
        assert operator.post(f"/operator/apikeys/{path}/add/", {"name": "x"}).status_code == 403
    changed = operator.post(f"/operator/apikeys/apikey/{acme.key.id}/change/", {"name": "mine"})
    removed = operator.post(f"/operator/apikeys/user/{acme.admin.id}/delete/", {"post": "yes"})

    assert (changed.status_code, removed.status_code) == (403, 403)
    acme.key.refresh_from_db()
    assert acme.key.name == "acme-first"
    assert User.objects.count() == before
    assert {model.__name__ for model in admin.site._registry}.isdisjoint({"Group", "EmailAddress", "Authenticator"})


def test_no_page_holds_a_fingerprint_of_a_secret(operator: Client, acme: Tenant) -> None:
    for path in (f"apikey/{acme.key.id}", f"user/{acme.admin.id}"):
        page = operator.get(f"/operator/apikeys/{path}/change/").text
        assert "digest" not in page
        assert "md5$" not in page
        assert "pbkdf2" not in page


def test_an_upstream_is_added_with_a_credential_that_never_comes_out(operator: Client) -> None:
    answer = operator.post(
        f"{UPSTREAMS}add/",
        {"kind": "anthropic", "name": "main", "base_url": "", "new_credential": "ant-very-secret"},
    )

    upstream = Upstream.objects.get(name="main")
    assert answer.status_code == 302
    assert upstream.credential is not None
    assert credentials.decrypt(bytes(upstream.credential)) == "ant-very-secret"
    assert upstream.base_url == "https://api.anthropic.com"
    page = operator.get(f"{UPSTREAMS}{upstream.pk}/change/").text
    assert "very-secret" not in page
    entry = AuditEntry.objects.get(action="upstream.created")
    assert "very-secret" not in str(entry.after)


def test_an_upstream_is_switched_off_and_given_another_credential(operator: Client, acme: Tenant) -> None:
    upstream = add_upstream("anthropic", "main", credential="old", actor=OPERATOR)

    operator.post(f"{UPSTREAMS}{upstream.pk}/change/", {"new_credential": "new"})

    upstream.refresh_from_db()
    assert upstream.credential is not None
    assert credentials.decrypt(bytes(upstream.credential)) == "new"
    assert upstream.is_enabled is False
    trail = AuditEntry.objects.filter(object_type="upstream", actor_id=acme.admin.id)
    assert {entry.action for entry in trail} == {"upstream.disabled", "upstream.credential_replaced"}


def test_a_refused_upstream_is_said_so(operator: Client) -> None:
    answer = operator.post(
        f"{UPSTREAMS}add/",
        {"kind": "anthropic", "name": "main", "base_url": "ftp://nowhere", "new_credential": ""},
        follow=True,
    )

    assert "ot a base URL: ftp://nowhere" in answer.text
    assert not Upstream.objects.filter(name="main").exists()


def test_a_price_is_added_with_a_trail_and_never_changed(operator: Client, acme: Tenant) -> None:
    picos = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
    answer = operator.post(
        "/operator/metering/price/add/",
        {
            "model": "claude-new",
            "effective_from_0": "2027-01-01",
            "effective_from_1": "00:00:00",
            "above_input_tokens": "0",
            "us_factor_percent": "100",
            **{f"{name}_picos": "3000000" for name in picos},
        },
    )

    price = Price.objects.get(model="claude-new")
    assert answer.status_code == 302
    assert AuditEntry.objects.get(action="price_added").actor_id == acme.admin.id
    assert operator.post(f"/operator/metering/price/{price.pk}/change/", {"model": "x"}).status_code == 403
