"""What every answer of the Admin API has in common."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apikeys import keys
from apikeys.actions.keys import set_key_status
from apikeys.actions.organizations import archive_organization
from apikeys.api import admin_key
from apikeys.bad_keys import CAPACITY, BadKeys
from apikeys.models import ApiKey
from metering import reports
from tests.metering.ledger import ACTOR, Team

pytestmark = pytest.mark.django_db

COST = "/v1/organizations/cost_report"
QUERY = {"starting_at": "2026-11-10"}


@pytest.fixture(autouse=True)
def _fresh_limiter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_key, "_bad_keys", BadKeys())


def _get(address: str = COST, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in {"anthropic_version": "2023-06-01", **headers}.items()}
    return Client().get(address, QUERY, headers={name: value for name, value in named.items() if value})


def _error(response: HttpResponse, status: int, kind: str) -> str:
    """The message of an error in the one shape that all have."""
    body: dict[str, Any] = response.json()  # type: ignore[attr-defined]
    assert response.status_code == status
    assert set(body) == {"type", "error", "request_id"}
    assert (body["type"], body["error"]["type"]) == ("error", kind)
    assert body["request_id"] == response["request-id"]
    assert body["request_id"].startswith("req_")
    message: str = body["error"]["message"]
    return message


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
@pytest.mark.parametrize("place", ["x_api_key", "api_key", "authorization"])
def test_an_admin_key_is_good_in_every_place_and_version(version: str, place: str) -> None:
    acme = Team("acme")
    value = f"bearer {acme.admin_secret}" if place == "authorization" else acme.admin_secret

    response = _get(anthropic_version=version, **{place: value})

    assert response.status_code == 200
    assert response["anthropic-organization-id"] == str(acme.organization.id)
    assert response["request-id"].startswith("req_")
    assert response["content-type"] == "application/json"
    assert "anthropic-workspace-id" not in response


def test_its_use_is_noted_to_the_minute() -> None:
    acme = Team("acme")

    _get(x_api_key=acme.admin_secret)

    acme.admin_key.refresh_from_db()
    assert acme.admin_key.last_used_at is not None
    assert timezone.now() - acme.admin_key.last_used_at < timedelta(minutes=2)


def test_no_key() -> None:
    response = _get()

    assert _error(response, 401, "authentication_error") == "x-api-key header is required"
    assert "anthropic-organization-id" not in response


@pytest.mark.parametrize("secret", ["nonsense", "sk-ant-admin01-abc", keys.make_secret("admin"), "sk-toll-admin01-ü"])
def test_an_unknown_key(secret: str) -> None:
    assert _error(_get(x_api_key=secret), 401, "authentication_error") == "invalid x-api-key"
    assert _error(_get(authorization=f"Bearer {secret}"), 401, "authentication_error") == "Invalid bearer token"


def test_two_keys_that_disagree() -> None:
    acme = Team("acme")

    response = _get(x_api_key=acme.admin_secret, authorization=f"Bearer {acme.secret}")

    assert "two different keys" in _error(response, 401, "authentication_error")


def test_a_key_that_only_calls_models_may_not_enter() -> None:
    acme = Team("acme")

    response = _get(x_api_key=acme.secret)

    assert "Admin API key" in _error(response, 403, "permission_error")
    assert response["anthropic-organization-id"] == str(acme.organization.id)


def test_a_revoked_an_expired_and_an_orphaned_key_are_unknown() -> None:
    acme, globex, initech = Team("acme"), Team("globex"), Team("initech")
    set_key_status(acme.admin_key, "inactive", actor=ACTOR)
    ApiKey.objects.filter(pk=globex.admin_key.pk).update(expires_at=timezone.now())
    archive_organization(initech.organization, actor=ACTOR)

    for team in (acme, globex, initech):
        _error(_get(x_api_key=team.admin_secret), 401, "authentication_error")


def test_an_address_that_hammers_with_bad_keys_has_to_wait_and_good_keys_do_not() -> None:
    acme = Team("acme")
    for _ in range(CAPACITY):
        admin_key._bad_keys.count("127.0.0.1", time.monotonic() + 60)

    hammering = _get(x_api_key="nonsense")

    assert "invalid API keys" in _error(hammering, 429, "rate_limit_error")
    assert int(hammering["retry-after"]) >= 1
    assert _get(x_api_key=acme.admin_secret).status_code == 200


def test_the_version_is_asked_for_after_the_key() -> None:
    acme = Team("acme")

    missing = _get(anthropic_version="", x_api_key=acme.admin_secret)
    unknown = _get(anthropic_version="2023-06-01, 2023-06-01", x_api_key=acme.admin_secret)

    assert _error(missing, 400, "invalid_request_error") == "anthropic-version: header is required"
    assert _error(unknown, 400, "invalid_request_error") == (
        'anthropic-version: "2023-06-01, 2023-06-01" is not a valid version'
    )
    _error(_get(anthropic_version=""), 401, "authentication_error")


@pytest.mark.parametrize("address", ["/v1/organizations/nothing", "/v1/organizations/", "/v1/compliance/x"])
@pytest.mark.parametrize("method", ["get", "post", "delete", "options"])
def test_an_unknown_path_is_404_to_those_who_may_ask(address: str, method: str) -> None:
    acme = Team("acme")
    headers = {"anthropic-version": "2023-06-01", "x-api-key": acme.admin_secret}

    known = getattr(Client(), method)(address, headers=headers)
    stranger = getattr(Client(), method)(address, headers={"anthropic-version": "2023-06-01"})

    assert _error(known, 404, "not_found_error") == "Not found"
    _error(stranger, 401, "authentication_error")


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_another_method_is_405_and_says_what_is_allowed(method: str) -> None:
    acme = Team("acme")

    response = getattr(Client(), method)(
        COST, headers={"anthropic-version": "2023-06-01", "x-api-key": acme.admin_secret}
    )

    assert _error(response, 405, "invalid_request_error") == "Method Not Allowed"
    assert response["allow"] == "GET, HEAD"


def test_json_comes_whatever_is_accepted() -> None:
    acme = Team("acme")

    assert _get(x_api_key=acme.admin_secret, accept="text/html")["content-type"] == "application/json"


def test_the_host_header_does_not_matter() -> None:
    acme = Team("acme")

    assert _get(x_api_key=acme.admin_secret, host="tollgate.internal:8443").status_code == 200


def test_a_database_that_is_away_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    acme = Team("acme")

    def away(*arguments: object, **named: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(reports, "sums", away)

    response = _get(x_api_key=acme.admin_secret)

    assert _error(response, 503, "api_error") == "The database does not answer"
    assert response["retry-after"] == "5"
