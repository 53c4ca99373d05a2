"""The room of the keys: one reveal, effects that hold, a trail of each, and nothing for outsiders."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apikeys import keys
from apikeys.models import ApiKey, AuditEntry
from tests.console.conftest import Tenant

SECRET = re.compile(r"sk-toll-api01-[0-9A-Za-z]{40,}")


def create(client: Client, tenant: Tenant, **changed: str) -> Any:
    form = {"name": "nightly", "workspace": tenant.research.id, "lifetime": "never"}
    return client.post(tenant.address("keys/new"), form | changed)


def test_a_new_key_is_revealed_in_one_answer_and_never_again(acme: Tenant) -> None:
    client = acme.signed_in()

    answer = create(client, acme)

    key = ApiKey.objects.get(name="nightly")
    (secret,) = set(SECRET.findall(answer.text))
    assert answer.status_code == 200
    assert answer["cache-control"] == "no-store"
    assert keys.digest(secret, settings.KEY_PEPPER) == bytes(key.digest)
    assert (key.workspace, key.created_by, key.expires_at) == (acme.research, acme.admin, None)
    for address in ("keys", f"keys/{key.id}", "", "keys/new"):
        later = client.get(acme.address(address)).text
        assert not SECRET.search(later)
    assert key.hint in client.get(acme.address("keys")).text
    assert secret not in str(dict(client.session))


def test_the_reveal_holds_code_that_works_as_it_stands(acme: Tenant) -> None:
    answer = acme.signed_in().post(
        acme.address("keys/new"),
        {"name": "nightly", "workspace": acme.default.id, "lifetime": "never"},
        headers={"host": "localhost:8123"},
    )
    code = re.sub(r"<[^>]+>", "", answer.text).replace("&quot;", '"').replace("&#x27;", "'")
    (secret,) = set(SECRET.findall(code))

    assert "curl http://localhost:8123/v1/messages" in code
    assert f'"x-api-key: {secret}"' in code
    assert f'base_url="http://localhost:8123",\n    api_key="{secret}"' in code
    assert f'baseURL: "http://localhost:8123",\n  apiKey: "{secret}"' in code


@pytest.mark.parametrize(
    ("lifetime", "expected"),
    [
        ("3h", timedelta(hours=3)),
        ("1d", timedelta(days=1)),
        ("7d", timedelta(days=7)),
        ("30d", timedelta(days=30)),
    ],
)
def test_a_key_expires_when_its_maker_chose(acme: Tenant, lifetime: str, expected: timedelta) -> None:
    create(acme.signed_in(), acme, lifetime=lifetime)

    expires_at = ApiKey.objects.get(name="nightly").expires_at
    assert expires_at is not None
    assert abs(expires_at - timezone.now() - expected) < timedelta(minutes=1)


def test_a_key_may_work_through_a_day_of_choice(acme: Tenant) -> None:
    last_day = timezone.now().date() + timedelta(days=10)

    create(acme.signed_in(), acme, lifetime="custom", until=last_day.isoformat())

    expires_at = ApiKey.objects.get(name="nightly").expires_at
    assert expires_at is not None
    assert expires_at.isoformat() == f"{last_day + timedelta(days=1)}T00:00:00+00:00"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 201}, "at most 200"),
        ({"name": "bell\x07"}, "printable"),
        ({"lifetime": "custom"}, "Choose the last day"),
        ({"lifetime": "custom", "until": "2020-01-01"}, "This day is over"),
        ({"lifetime": "forever"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_a_key_is_said_beside_its_field(acme: Tenant, changed: dict[str, str], said: str) -> None:
    answer = create(acme.signed_in(), acme, **changed)

    assert answer.status_code == 422
    assert said in answer.text
    assert not ApiKey.objects.filter(name="nightly").exists()


def test_nobody_makes_a_key_in_a_strangers_workspace(acme: Tenant, globex: Tenant) -> None:
    answer = create(acme.signed_in(), acme, workspace=globex.research.id)

    assert answer.status_code == 422
    assert ApiKey.objects.filter(organization=globex.organization).count() == 2


def test_a_key_is_disabled_enabled_and_archived_with_a_trail(acme: Tenant) -> None:
    client = acme.signed_in()
    address = acme.address(f"keys/{acme.key.id}/status")

    for status in ("inactive", "active", "archived", "active"):
        answer = client.post(address, {"status": status, "back": "table"}, follow=True)
        assert answer.status_code == 200

    acme.key.refresh_from_db()
    assert acme.key.status == "archived"
    assert "archived, which is for good" in answer.text
    entries = AuditEntry.objects.filter(object_id=acme.key.id, action="api_key_updated").order_by("created_at")
    assert [entry.after for entry in entries] == [{"status": s} for s in ("inactive", "active", "archived")]
    assert {(e.actor_type, e.actor_id, str(e.address)) for e in entries} == {("user_actor", acme.admin.id, "127.0.0.1")}
    assert all(re.fullmatch(r"req_\w+", entry.request_id) for entry in entries)


def test_archived_keys_are_out_of_sight_until_asked_for(acme: Tenant) -> None:
    client = acme.signed_in()
    client.post(acme.address(f"keys/{acme.key.id}/status"), {"status": "archived"})
    client.get(acme.address("keys"))  # reads the message that names the key

    assert acme.key.name not in client.get(acme.address("keys")).text
    assert acme.key.name in client.get(acme.address("keys?archived=1")).text


def test_a_key_is_renamed(acme: Tenant) -> None:
    client = acme.signed_in()

    client.post(acme.address(f"keys/{acme.key.id}/name"), {"name": "  better name "})
    refused = client.post(acme.address(f"keys/{acme.key.id}/name"), {"name": " "}, follow=True)

    acme.key.refresh_from_db()
    assert acme.key.name == "better name"
    assert "A name is needed" in refused.text


def test_an_outsider_can_neither_see_nor_stop_a_key(acme: Tenant, globex: Tenant) -> None:
    outsider = globex.signed_in()

    for base in (acme.address("keys"), globex.address("keys")):
        assert outsider.get(f"{base}/{acme.key.id}").status_code == 404
        assert outsider.post(f"{base}/{acme.key.id}/status", {"status": "archived"}).status_code == 404
        assert outsider.post(f"{base}/{acme.key.id}/name", {"name": "mine"}).status_code == 404
    assert outsider.post(acme.address("keys/new"), {"name": "x"}).status_code == 404

    acme.key.refresh_from_db()
    assert (acme.key.status, acme.key.name) == ("active", "acme-first")
    assert acme.key.name not in outsider.get(globex.address(f"keys?before={acme.key.id}&q=first")).text


def test_a_developer_of_one_workspace_cannot_touch_another_ones_keys(acme: Tenant) -> None:
    client = acme.signed_in(acme.person("bob", "user", "workspace_developer"))

    assert client.post(acme.address(f"keys/{acme.key.id}/status"), {"status": "inactive"}).status_code == 404
    assert create(client, acme, workspace=acme.default.id).status_code == 422
    assert create(client, acme).status_code == 200


def test_only_admins_see_admin_keys_and_only_over_all_workspaces(acme: Tenant) -> None:
    from apikeys import actions
    from tests.console.conftest import OPERATOR

    actions.create_key(organization=acme.organization, name="automation", kind="admin", actor=OPERATOR)
    developer = acme.signed_in(acme.person("bob", "developer"))

    assert "automation" in acme.signed_in().get(acme.address("keys")).text
    assert "automation" not in acme.signed_in().get(acme.address("keys", scope=acme.default.id)).text
    assert "automation" not in developer.get(acme.address("keys")).text


def test_changes_need_the_forms_token(acme: Tenant) -> None:
    client = acme.signed_in(checks_csrf=True)

    assert create(client, acme).status_code == 403
    assert client.post(acme.address(f"keys/{acme.key.id}/status"), {"status": "archived"}).status_code == 403
    assert client.get(acme.address(f"keys/{acme.key.id}/status")).status_code == 405
    acme.key.refresh_from_db()
    assert acme.key.status == "active"


def test_many_keys_come_in_pages_without_gaps(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    client = acme.signed_in()
    for index in range(7):
        create(client, acme, name=f"numbered {index}")
    monkeypatch.setattr("apikeys.console.keys.PAGE", 3)

    seen: list[str] = []
    address: str | None = acme.address("keys?q=numbered")
    while address:
        page = client.get(address).text
        seen += re.findall(r">(numbered \d)</a>", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = older and acme.address("keys") + older[1].replace("&amp;", "&")

    assert seen == [f"numbered {index}" for index in reversed(range(7))]


def test_names_are_shown_as_text(acme: Tenant) -> None:
    client = acme.signed_in()

    answer = create(client, acme, name="<script>alert(1)</script>")

    for page in (answer.text, client.get(acme.address("keys")).text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
