"""The Limits room: the tree, what wins, and who may see what."""

import re

import pytest
from django.db import connection

from apikeys.actions import Actor
from metering.limits.actions import Holder, set_limits, set_tier
from tests.console.conftest import Tenant

ME = Actor.command_line()

pytestmark = pytest.mark.django_db(transaction=True)


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def section(html: str, scope: str) -> str:
    return text(html.split(f'data-scope="{scope}"')[1].split("</section>")[0])


def test_the_tree_shows_what_holds_what_is_left_and_what_wins(acme: Tenant) -> None:
    set_tier(acme.organization, "start", reason="a trial", actor=ME)
    set_limits(Holder(acme.organization, acme.research), {"requests": 20}, model_class="Opus 5", actor=ME)
    set_limits(Holder(acme.organization, api_key=acme.research_key), {"concurrency": 3}, actor=ME)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO limit_bucket (organization_id, scope, model_class, kind, level, as_of_us) "
            "VALUES (%s, %s, 'Opus 5', 'requests', 5 * 60000000, (extract(epoch FROM tollgate_now()) * 1e6)::bigint)",
            [acme.organization.id, f"ws:{acme.research.id}"],
        )

    html = acme.signed_in().get(acme.address("limits")).content.decode()

    assert "Start" in text(html)
    assert "a trial" in text(html)
    assert "1 000 left of 1 000" in section(html, f"org:{acme.organization.id}")
    assert re.search(r"Opus 5 [56] left of 20 stops first", section(html, f"ws:{acme.research.id}"))
    assert re.search(r"Requests at once – 3 0 0 3 stops first", section(html, f"key:{acme.research_key.id}"))


def test_a_looser_limit_of_a_workspace_is_marked(acme: Tenant) -> None:
    set_tier(acme.organization, "scale", reason="a trial", actor=ME)
    set_limits(Holder(acme.organization, acme.research), {"requests": 500_000}, model_class="Opus 5", actor=ME)

    html = acme.signed_in().get(acme.address("limits")).content.decode()

    assert "another limit is tighter" in section(html, f"ws:{acme.research.id}")


def test_a_developer_does_not_see_limits_and_a_workspace_s_admin_sees_her_own(acme: Tenant) -> None:
    set_limits(Holder(acme.organization, acme.research), {"requests": 20}, actor=ME)
    developer = acme.person("dev", "developer")
    research_admin = acme.person("rae", "user", "workspace_admin")

    assert acme.signed_in(developer).get(acme.address("limits")).status_code == 403
    html = acme.signed_in(research_admin).get(acme.address("limits", scope=acme.research.id)).content.decode()
    assert f'data-scope="ws:{acme.research.id}"' in html
    assert "Spend a month" not in html


def test_strangers_get_nothing(acme: Tenant, globex: Tenant) -> None:
    assert globex.signed_in().get(acme.address("limits")).status_code == 404
