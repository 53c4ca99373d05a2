from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from metering import reports
from metering.reports import Selection
from tests.metering.ledger import Team

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 11, 10, tzinfo=UTC)
NOON = DAY + timedelta(hours=12, minutes=7)
OPUS = {
    "input_tokens": 50,
    "cache_creation_input_tokens": 7_345,
    "cache_read_input_tokens": 200_000,
    "output_tokens": 1_000,
    "service_tier": "standard",
    "inference_geo": "global",
}
NULLS = dict.fromkeys(
    ("description", "cost_type", "model", "token_type", "service_tier", "context_window", "inference_geo")
)


def _ask(team: Team, *, status: int = 200, **query: object) -> dict[str, Any]:
    response = Client().get(
        "/v1/organizations/cost_report",
        {"starting_at": "2026-11-10T00:00:00Z", "ending_at": "2026-11-11T00:00:00Z", **query},
        headers={"authorization": f"Bearer {team.admin_secret}", "anthropic-version": "2026-10-21"},
    )
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    return body


def _results(team: Team, **query: object) -> list[dict[str, Any]]:
    (bucket,) = _ask(team, **query)["data"]
    results: list[dict[str, Any]] = bucket["results"]
    return results


def test_one_amount_a_day_in_exact_cents() -> None:
    acme = Team("acme")
    acme.use(NOON, OPUS, model="claude-opus-5-5")

    assert _results(acme) == [{"amount": "9.6925", "currency": "USD", "workspace_id": None, **NULLS}]


def test_by_workspace_the_default_one_is_null() -> None:
    acme = Team("acme")
    acme.use(NOON, {"output_tokens": 1_000})
    acme.use(NOON, {"output_tokens": 2_000}, key=acme.research_key)

    results = _results(acme, **{"group_by[]": "workspace_id"})

    assert {result["workspace_id"]: result["amount"] for result in results} == {None: "1", acme.workspace.id: "2"}


def test_by_description_each_kind_has_a_line() -> None:
    acme = Team("acme")
    acme.use(NOON, {**OPUS, "server_tool_use": {"web_search_requests": 1}}, model="claude-opus-5-5")

    results = _results(acme, group_by="description")

    dimensions = {
        "currency": "USD",
        "workspace_id": None,
        "cost_type": "tokens",
        "model": "claude-opus-5-5",
        "service_tier": "standard",
        "context_window": "200k-1M",
        "inference_geo": "global",
    }
    assert results == [
        {
            **dimensions,
            "amount": "0.02",
            "token_type": "uncached_input_tokens",
            "description": "Claude Opus 5.5 Usage - Input Tokens",
        },
        {
            **dimensions,
            "amount": "3.6725",
            "token_type": "cache_creation.ephemeral_5m_input_tokens",
            "description": "Claude Opus 5.5 Usage - Input Tokens, Cache Write 5m",
        },
        {
            **dimensions,
            "amount": "4",
            "token_type": "cache_read_input_tokens",
            "description": "Claude Opus 5.5 Usage - Input Tokens, Cache Read",
        },
        {
            **dimensions,
            "amount": "2",
            "token_type": "output_tokens",
            "description": "Claude Opus 5.5 Usage - Output Tokens",
        },
        {
            **NULLS,
            "amount": "1",
            "currency": "USD",
            "workspace_id": None,
            "cost_type": "web_search",
            "description": "Web Search Usage",
        },
    ]


def test_searches_of_all_models_are_one_line() -> None:
    acme = Team("acme")
    for model in ("claude-opus-5-5", "claude-sonnet-5-5"):
        acme.use(NOON, {"server_tool_use": {"web_search_requests": 1}}, model=model)

    (line,) = _results(acme, group_by="description")

    assert (line["cost_type"], line["amount"]) == ("web_search", "2")


def test_what_changes_the_price_is_in_the_description() -> None:
    acme = Team("acme")
    acme.use(NOON, {"output_tokens": 1, "speed": "fast", "inference_geo": "us"}, model="claude-opus-5-5")
    acme.use(NOON, {"output_tokens": 1, "service_tier": "batch"}, model="claude-opus-5-5")

    descriptions = {result["description"] for result in _results(acme, group_by="description")}

    assert descriptions == {
        "Claude Opus 5.5 Usage - Output Tokens, Fast, US",
        "Claude Opus 5.5 Usage - Output Tokens, Batch",
    }


def test_the_lines_add_up_to_the_ledger_to_the_last_pico_dollar() -> None:
    acme = Team("acme")
    for place, model in enumerate(("claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-2")):
        acme.use(NOON, {**OPUS, "input_tokens": 333 + place, "inference_geo": "us"}, model=model)
    total = reports.total(Selection(organization_id=acme.organization.id, start=DAY)).cost_picos

    for group_by in ([], ["workspace_id"], ["description"], ["workspace_id", "description"]):
        results = _results(acme, **{"group_by[]": group_by})
        assert sum(Decimal(result["amount"]) for result in results) * 10**10 == total


def test_days_without_cost_have_empty_results() -> None:
    acme, globex = Team("acme"), Team("globex")
    acme.use(NOON, OPUS)
    acme.use(NOON + timedelta(days=1), {**OPUS, "service_tier": "priority"})

    body = _ask(acme, ending_at="2026-11-12T00:00:00Z")

    assert [len(bucket["results"]) for bucket in body["data"]] == [1, 0]
    assert _results(globex) == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"bucket_width": "1h"}, "bucket_width: Input should be '1d'"),
        ({"limit": "32"}, "limit: Input should be less than or equal to 31"),
        ({"group_by": "model"}, "group_by.0: Input should be 'workspace_id' or 'description'"),
    ],
)
def test_what_cannot_be_asked(query: dict[str, Any], message: str) -> None:
    assert _ask(Team("acme"), status=400, **query)["error"]["message"] == message
