"""Who gets into which room, and what every page does alike."""

import re
import uuid
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apikeys import actions
from tests.console.conftest import OPERATOR, Tenant

ROOMS = ["", "usage", "usage.csv", "logs", "keys", "keys/new"]
MOST_QUERIES = 12


@pytest.mark.parametrize("room", ROOMS)
def test_an_outsider_gets_the_404_of_what_never_existed(acme: Tenant, globex: Tenant, room: str) -> None:
    outsider = globex.signed_in()

    def said(path: str) -> tuple[int, str]:
        page = outsider.get(path)
        return page.status_code, re.sub(r"req_\w+", "", page.text).replace(path, "")

    strangers = said(acme.address(room))
    nothing = said(f"/c/{uuid.uuid4()}/all/{room}")
    strangers_workspace = said(globex.address(room, scope=acme.research.id))
    no_workspace = said(globex.address(room, scope="wrkspc_01nothing"))

    assert strangers[0] == 404
    assert strangers == nothing == strangers_workspace == no_workspace
    assert "acme" not in strangers[1]


@pytest.mark.parametrize("room", ROOMS)
def test_whoever_is_not_signed_in_is_asked_to(acme: Tenant, room: str) -> None:
    answer = Client().get(acme.address(room))

    assert answer.status_code == 302
    assert answer["location"].startswith(f"/account/login/?next=/c/{acme.organization.id}/")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("admin", {"", "usage", "usage.csv", "logs", "keys", "keys/new"}),
        ("developer", {"", "usage", "usage.csv", "logs", "keys", "keys/new"}),
        ("billing", {"", "usage", "usage.csv"}),
        ("user", set()),
        ("claude_code_user", set()),
    ],
)
def test_a_role_opens_its_rooms_and_says_why_not_the_others(acme: Tenant, role: str, allowed: set[str]) -> None:
    client = acme.signed_in(acme.person("bob", role))

    answers = {room: client.get(acme.address(room)) for room in ROOMS}

    assert {room for room, page in answers.items() if page.status_code == 200} == allowed
    for room, page in answers.items():
        if room not in allowed:
            assert page.status_code == 403
            assert "are for developers" in page.text
            assert re.search(r"Request id <code>req_\w+", page.text)


def test_a_role_in_a_workspace_counts_there_alone(acme: Tenant) -> None:
    client = acme.signed_in(acme.person("bob", "user", "workspace_restricted_developer"))
    secret = actions.create_workspace(acme.organization, "Secret", actor=OPERATOR)

    assert client.get(acme.address("keys", scope=acme.research.id)).status_code == 200
    assert client.get(acme.address("keys", scope=acme.default.id)).status_code == 403
    assert client.get(acme.address("keys", scope=secret.id)).status_code == 404
    everywhere = client.get(acme.address("keys"))
    assert acme.research_key.name in everywhere.text
    assert acme.key.name not in everywhere.text
    assert "Secret" not in everywhere.text


def test_somebody_removed_is_outside_at_once(acme: Tenant) -> None:
    bob = acme.person("bob", "developer")
    client = acme.signed_in(bob)
    before = client.get(acme.address()).status_code

    actions.remove_member(acme.organization, bob, actor=OPERATOR)

    assert (before, client.get(acme.address()).status_code) == (200, 404)


@pytest.mark.parametrize("room", ROOMS)
def test_no_page_needs_many_queries(acme: Tenant, room: str) -> None:
    for index in range(20):
        actions.create_key(organization=acme.organization, name=f"key {index}", created_by=acme.admin, actor=OPERATOR)
    for client in (acme.signed_in(), acme.signed_in(acme.person("bob", "developer", "workspace_admin"))):
        client.get(acme.address(room))  # remembers the place in the session, once

        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(acme.address(room)).status_code == 200

        queries = [one["sql"] for one in captured if not re.match(r"(RELEASE )?SAVEPOINT|SET ", one["sql"])]
        assert len(queries) <= MOST_QUERIES, "\n".join(queries)


class Inline(HTMLParser):
    """Collects what the policy would forbid: inline scripts and styles, handlers in attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given and given.get("type") != "application/json"):
            self.found.append(tag)
        self.found += [name for name in given if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("room", [*ROOMS[:2], *ROOMS[3:]])
def test_pages_keep_to_a_strict_content_security_policy(acme: Tenant, room: str) -> None:
    page = acme.signed_in().get(acme.address(room))
    inline = Inline()
    inline.feed(page.text)

    policy = page["content-security-policy"]
    assert inline.found == []
    assert "script-src 'self';" in policy.replace("script-src 'self' ;", "script-src 'self';") + ";"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page["x-frame-options"] == "DENY"
    assert "private" in page["cache-control"]


def test_pages_have_landmarks_one_heading_and_labelled_fields(acme: Tenant) -> None:
    for room in ("", "usage", "logs", "keys", "keys/new"):
        page = acme.signed_in().get(acme.address(room)).text

        assert len(re.findall(r"<h1[ >]", page)) == 1, room
        assert '<html lang="en"' in page
        assert 'href="#main"' in page
        assert '<main id="main"' in page
        assert page.count('aria-current="page"') == 1
        fields = re.findall(r'<(?:input|select)(?![^>]*type="(?:hidden|checkbox|radio)")[^>]* id="([\w-]+)"', page)
        assert fields or room == ""
        for field in fields:
            assert f'for="{field}"' in page, (room, field)


def test_short_addresses_lead_to_the_place_of_last_time_with_their_filters(acme: Tenant, globex: Tenant) -> None:
    client = acme.signed_in()

    assert client.get("/")["location"] == acme.address()
    client.get(acme.address("keys", scope=acme.research.id))
    assert client.get("/settings/keys")["location"] == acme.address("keys", scope=acme.research.id)
    assert client.get("/logs?id=req_1")["location"] == acme.address("logs", scope=acme.research.id) + "?id=req_1"
    assert client.get("/usage")["location"] == acme.address("usage", scope=acme.research.id)


def test_somebody_without_an_organization_reads_so(db: None) -> None:
    client = Client()
    client.force_login(actions.ensure_user("new@nowhere.example", actor=OPERATOR))

    page = client.get("/")

    assert page.status_code == 200
    assert "not a member of any organization" in page.text


def test_the_switcher_keeps_the_room_and_the_filters_that_mean_the_same(acme: Tenant) -> None:
    page = acme.signed_in().get(acme.address(f"usage?range=7d&group=model&key={acme.key.id}")).text

    assert f'href="{acme.address("usage", scope=acme.research.id)}?range=7d&amp;group=model"' in page


def test_colours_are_a_choice_of_three_kept_in_a_cookie(acme: Tenant) -> None:
    client = acme.signed_in()

    def theme(chosen: str) -> str | None:
        answer = client.post("/theme", {"theme": chosen, "next": acme.address("keys")})
        assert answer["location"] == acme.address("keys")
        found = re.search(r'data-theme="(\w+)"', client.get(acme.address()).text)
        return found and found[1]

    assert [theme("dark"), theme("light"), theme("system")] == ["dark", "light", None]
    assert client.post("/theme", {"theme": "dark", "next": "https://evil.example/"})["location"] == "/"


def test_a_banner_says_that_answers_are_simulated(acme: Tenant) -> None:
    from relay.actions import add_upstream

    client = acme.signed_in()
    before = client.get(acme.address()).text
    add_upstream("anthropic", "main", credential="secret", actor=OPERATOR)

    assert "Simulated answers." in before
    assert "Simulated answers." not in client.get(acme.address()).text


def test_an_unknown_address_is_a_404_page_with_a_request_id(client: Client, db: None) -> None:
    page = client.get("/nowhere")

    assert page.status_code == 404
    assert page["request-id"] in page.text


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(acme: Tenant) -> None:
    client = Client()
    client.post(f"/signin/{actions.create_signin_link(acme.admin, actor=OPERATOR)}")

    session = client.cookies["tollgate-session"]

    assert session["httponly"]
    assert session["samesite"] == "Lax"
