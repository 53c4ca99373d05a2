"""Coming into the console: one-time links, passwords, second factors, and how often one may try."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from django.utils import timezone

from apikeys import actions
from apikeys.models import AuditEntry, SigninLink
from tests.console.conftest import OPERATOR, PASSWORD, Tenant

LOGIN = "/account/login/"


@pytest.fixture
def link(acme: Tenant) -> str:
    return f"/signin/{actions.create_signin_link(acme.admin, actor=OPERATOR)}"


def signed_in_as(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post(LOGIN, {"login": email, "password": password})


def test_looking_at_a_link_uses_nothing_up(client: Client, acme: Tenant, link: str) -> None:
    for _ in range(3):
        page = client.get(link)
        assert page.status_code == 200
        assert acme.admin.email in page.text

    assert signed_in_as(client) is None
    assert "no-cache" in page["cache-control"]


def test_the_button_of_a_link_signs_in_once(client: Client, acme: Tenant, link: str) -> None:
    answer = client.post(link)

    assert signed_in_as(client) == acme.admin.id
    assert answer["location"] == "/account/profile/?first"
    again = Client()
    assert again.get(link).status_code == again.post(link).status_code == 404
    assert signed_in_as(again) is None


def test_an_old_link_and_a_made_up_one_are_the_same_dead_page(client: Client, link: str) -> None:
    SigninLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    pages = [client.post(link), client.get(link), client.post("/signin/nothing"), client.get("/signin/%00x")]

    assert [page.status_code for page in pages] == [404] * 4
    assert "./tollgate signin-link" in pages[0].text


def test_a_link_is_only_followed_with_the_forms_token(link: str) -> None:
    client = Client(enforce_csrf_checks=True)

    refused = client.post(link)

    assert refused.status_code == 403
    assert "This form has expired" in refused.text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(link).text)
    assert token is not None
    assert client.post(link, {"csrfmiddlewaretoken": token[1]}).status_code == 302


def test_after_a_link_one_may_set_name_and_password_without_the_old_one(
    client: Client, acme: Tenant, link: str
) -> None:
    client.post(link)

    answer = client.post(
        "/account/profile/", {"first": "1", "name": "Ada", "password": PASSWORD, "password_again": PASSWORD}
    )

    assert answer["location"] == "/"
    assert signed_in_as(client) == acme.admin.id
    acme.admin.refresh_from_db()
    assert acme.admin.name == "Ada"
    assert sign_in(Client(), acme.admin.email).status_code == 302
    entry = AuditEntry.objects.get(action="user_updated")
    assert (entry.actor_id, entry.after) == (acme.admin.id, {"name": "Ada", "password": "changed"})


def test_whoever_came_by_password_must_know_it_to_change_it(client: Client, acme: Tenant) -> None:
    acme.admin.set_password(PASSWORD)
    acme.admin.save()
    sign_in(client, acme.admin.email)
    new = {"name": "", "password": "another good password", "password_again": "another good password"}

    refused = client.post("/account/profile/", {**new, "current_password": "wrong"})
    weak = client.post(
        "/account/profile/", {"password": "short", "password_again": "shorter", "current_password": PASSWORD}
    )

    assert refused.status_code == weak.status_code == 422
    assert "not your current password" in refused.text
    assert "The two passwords differ" in weak.text
    assert client.post("/account/profile/", {**new, "current_password": PASSWORD}).status_code == 302


def test_a_password_signs_in_and_signing_out_ends_it(client: Client, acme: Tenant) -> None:
    acme.admin.set_password(PASSWORD)
    acme.admin.save()

    answer = sign_in(client, acme.admin.email.upper())

    assert answer["location"] == "/"
    assert signed_in_as(client) == acme.admin.id
    client.post("/account/logout/")
    assert client.get(acme.address())["location"].startswith(LOGIN)


def test_nobody_learns_who_exists(client: Client, acme: Tenant) -> None:
    acme.admin.set_password(PASSWORD)
    acme.admin.save()

    known = sign_in(client, acme.admin.email, "wrong")
    unknown = sign_in(client, "nobody@acme.example", "wrong")

    def said(page: Any) -> str:
        return re.sub(r'value="[^"]*"|req_\w+', "", page.text)

    assert known.status_code == unknown.status_code == 200
    assert said(known) == said(unknown)


def test_a_person_who_tries_too_often_is_told_how_long_to_wait(client: Client, acme: Tenant) -> None:
    acme.admin.set_password(PASSWORD)
    acme.admin.save()
    tries = [sign_in(client, acme.admin.email, "wrong").status_code for _ in range(5)]

    page = sign_in(client, acme.admin.email)

    assert tries == [200] * 5
    assert page.status_code == 429
    assert 0 < int(page["retry-after"]) <= 300
    assert re.search(r"Please wait (\d+ seconds|one second|\d minutes|one minute), then try again", page.text)
    assert signed_in_as(client) is None
    assert sign_in(client, "somebody.else@acme.example", "wrong").status_code == 200
    assert (
        client.post(LOGIN, {"login": acme.admin.email, "password": PASSWORD}, REMOTE_ADDR="192.0.2.7").status_code
        == 302
    )


def test_one_address_cannot_try_everybody(client: Client, db: None) -> None:
    answers = [sign_in(client, f"p{index}@acme.example", "wrong").status_code for index in range(31)]

    assert answers == [200] * 30 + [429]


def test_codes_of_a_second_factor_cannot_be_guessed_at_will(client: Client, acme: Tenant, link: str) -> None:
    TOTP.activate(acme.admin, generate_totp_secret())
    client.post(link)

    tries = [client.post("/account/second-factor/authenticate/", {"code": f"{n:06}"}).text for n in range(12)]

    assert "Incorrect code" in tries[0]
    assert "Too many failed login attempts" in tries[-1]
    assert signed_in_as(client) is None


def test_nobody_can_sign_up(client: Client, db: None) -> None:
    assert client.get("/account/signup/").status_code == 404
    assert client.get("/account/password/reset/").status_code == 404


def test_somebody_switched_off_does_not_come_in(client: Client, acme: Tenant, link: str) -> None:
    acme.admin.set_password(PASSWORD)
    acme.admin.is_active = False
    acme.admin.save()

    assert client.post(link).status_code == 404
    sign_in(client, acme.admin.email)
    assert signed_in_as(client) is None


def test_a_second_factor_is_asked_for_after_links_and_passwords_too(client: Client, acme: Tenant, link: str) -> None:
    secret = generate_totp_secret()
    factor = TOTP.activate(acme.admin, secret).instance

    assert secret not in str(factor.data)
    answer = client.post(link)

    assert answer["location"] == "/account/second-factor/authenticate/"
    assert signed_in_as(client) is None
    counter = next(iter(yield_hotp_counters_from_time()))
    client.post(answer["location"], {"code": format_hotp_value(hotp_value(secret, counter))})
    assert signed_in_as(client) == acme.admin.id


@pytest.mark.parametrize(
    "path", ["profile/", "logout/", "second-factor/", "second-factor/totp/activate/", "reauthenticate/", "inactive/"]
)
def test_pages_of_the_account_stand_in_our_frame(acme: Tenant, path: str) -> None:
    acme.admin.set_password(PASSWORD)
    acme.admin.save()
    client = Client()
    client.post(f"/signin/{actions.create_signin_link(acme.admin, actor=OPERATOR)}")

    page = client.get(f"/account/{path}", follow=True)

    assert page.status_code == 200
    assert "console/tokens.css" in page.text
    assert "<h1>" in page.text
