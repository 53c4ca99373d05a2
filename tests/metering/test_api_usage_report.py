from datetime import UTC, datetime, timedelta
from typing import Any

import anthropic
import pytest
from django.test import Client
from django.utils import timezone

from tests.metering.ledger import Team

pytestmark = pytest.mark.django_db

ADDRESS = "/v1/organizations/usage_report/messages"
DAY = datetime(2026, 11, 10, tzinfo=UTC)
NOON = DAY + timedelta(hours=12, minutes=7)
USAGE = {
    "input_tokens": 100,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    "cache_read_input_tokens": 40,
    "output_tokens": 50,
    "server_tool_use": {"web_search_requests": 2},
    "service_tier": "standard",
    "inference_geo": "us",
}
DIMENSIONS = (
    "account_id",
    "api_key_id",
    "context_window",
    "inference_geo",
    "model",
    "service_account_id",
    "service_tier",
    "speed",
    "workspace_id",
)


def _ask(team: Team, *, status: int = 200, **query: object) -> dict[str, Any]:
    response = Client().get(
        ADDRESS,
        {"starting_at": "2026-11-10T00:00:00Z", "ending_at": "2026-11-11T00:00:00Z", **query},
        headers={"x-api-key": team.admin_secret, "anthropic-version": "2023-06-01"},
    )
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    return body


def _results(team: Team, **query: object) -> list[dict[str, Any]]:
    (bucket,) = _ask(team, **query)["data"]
    results: list[dict[str, Any]] = bucket["results"]
    return results


def test_a_day_in_all_its_fields() -> None:
    acme = Team("acme")
    acme.use(NOON, USAGE)

    body = _ask(acme)

    assert body == {
        "data": [
            {
                "starting_at": "2026-11-10T00:00:00Z",
                "ending_at": "2026-11-11T00:00:00Z",
                "results": [
                    {
                        "uncached_input_tokens": 100,
                        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
                        "cache_read_input_tokens": 40,
                        "output_tokens": 50,
                        "server_tool_use": {"web_search_requests": 2},
                        **dict.fromkeys(DIMENSIONS),
                    }
                ],
            }
        ],
        "has_more": False,
        "next_page": None,
    }


def test_another_organization_sees_nothing_of_it() -> None:
    acme, globex = Team("acme"), Team("globex")
    acme.use(NOON, USAGE)

    foreign = {"api_key_ids[]": acme.key.id, "workspace_ids[]": acme.workspace.id}

    assert _results(globex) == []
    assert _results(globex, **foreign) == []


def test_every_interval_has_a_bucket_even_when_nothing_happened() -> None:
    acme = Team("acme")
    acme.use(NOON, USAGE)

    body = _ask(acme, bucket_width="1h", limit=24)

    assert [bucket["starting_at"] for bucket in body["data"]] == [f"2026-11-10T{hour:02}:00:00Z" for hour in range(24)]
    assert [hour for hour, bucket in enumerate(body["data"]) if bucket["results"]] == [12]


def test_grouped_dimensions_are_filled_and_the_default_workspace_is_null() -> None:
    acme = Team("acme")
    acme.use(NOON, USAGE)
    acme.use(NOON, {**USAGE, "speed": "fast"}, key=acme.research_key, model="claude-opus-5-5")

    results = _results(acme, **{"group_by[]": list(DIMENSIONS)})

    found = {result["model"]: {name: result[name] for name in DIMENSIONS} for result in results}
    assert found == {
        "claude-sonnet-5-5": {
            "account_id": None,
            "api_key_id": acme.key.id,
            "context_window": "0-200k",
            "inference_geo": "us",
            "model": "claude-sonnet-5-5",
            "service_account_id": None,
            "service_tier": "standard",
            "speed": "standard",
            "workspace_id": None,
        },
        "claude-opus-5-5": {
            "account_id": None,
            "api_key_id": acme.research_key.id,
            "context_window": "0-200k",
            "inference_geo": "us",
            "model": "claude-opus-5-5",
            "service_account_id": None,
            "service_tier": "standard",
            "speed": "fast",
            "workspace_id": acme.workspace.id,
        },
    }


@pytest.mark.parametrize(
    ("name", "value", "tokens"),
    [
        ("models[]", ["claude-haiku-4-5"], 7),  # an alias
        ("models", "claude-haiku-4-5-20251001,claude-sonnet-5-5", 57),
        ("models[]", ["claude-opus-5"], 0),
        ("context_window[]", ["200k-1M"], 0),
        ("service_tiers[]", ["batch", "standard"], 57),
        ("service_tiers", "flex", 0),
        ("inference_geos", ["us"], 50),
        ("inference_geos[]", ["not_available"], 7),
        ("speeds[]", ["fast"], 0),
        ("account_ids[]", ["user_1"], 0),
        ("service_account_ids[]", ["svac_1"], 0),
    ],
)
def test_filters(name: str, value: object, tokens: int) -> None:
    acme = Team("acme")
    acme.use(NOON, USAGE)
    acme.use(NOON, {"output_tokens": 7}, model="claude-haiku-4-5-20251001")

    results = _results(acme, **{name: value})

    assert sum(result["output_tokens"] for result in results) == tokens


def test_filters_by_owner() -> None:
    acme = Team("acme")
    acme.use(NOON, USAGE)
    acme.use(NOON, {"output_tokens": 7}, key=acme.research_key)

    assert _results(acme, **{"api_key_ids[]": acme.research_key.id})[0]["output_tokens"] == 7
    assert _results(acme, workspace_ids=acme.default.id)[0]["output_tokens"] == 50


def test_requests_that_used_nothing_make_no_line() -> None:
    acme = Team("acme")
    acme.use(NOON, {}, outcome="refused")

    assert _results(acme) == []


def test_minutes_are_fresh_and_end_with_the_current_one() -> None:
    acme = Team("acme")
    now = timezone.now()
    acme.use(now, USAGE)

    response = Client().get(
        ADDRESS,
        {"starting_at": (now - timedelta(minutes=2)).isoformat(), "bucket_width": "1m"},
        headers={"x-api-key": acme.admin_secret, "anthropic-version": "2026-10-21"},
    )

    last = response.json()["data"][-1]
    assert last["starting_at"] <= timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ") < last["ending_at"]
    assert sum(result["output_tokens"] for bucket in response.json()["data"] for result in bucket["results"]) == 50


def test_pages_together_are_the_whole_and_every_bucket_comes_once() -> None:
    acme = Team("acme")
    for day in range(10):
        acme.use(NOON + timedelta(days=day), {"output_tokens": day + 1})
    query = {"ending_at": "2026-11-20T00:00:00Z", "limit": 4}

    starts, tokens, page = [], 0, None
    while True:
        body = _ask(acme, **query, **({"page": page} if page else {}))
        starts += [bucket["starting_at"] for bucket in body["data"]]
        tokens += sum(result["output_tokens"] for bucket in body["data"] for result in bucket["results"])
        page = body["next_page"]
        assert body["has_more"] is (page is not None)
        if page is None:
            break
        assert page.startswith("page_")

    assert starts == [f"2026-11-{day}T00:00:00Z" for day in range(10, 20)]
    assert tokens == 55


@pytest.mark.parametrize(("width", "default", "largest"), [("1d", 7, 31), ("1h", 24, 168), ("1m", 60, 1440)])
def test_each_width_has_its_own_limits(width: str, default: int, largest: int) -> None:
    acme = Team("acme")
    long_ago = {"starting_at": "2026-01-01T00:00:00Z", "bucket_width": width}

    assert len(_ask(acme, **long_ago)["data"]) == default
    assert len(_ask(acme, **long_ago, limit=largest)["data"]) == largest
    _ask(acme, **long_ago, limit=largest + 1, status=400)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"starting_at": ""}, "starting_at: Field required"),
        ({"starting_at": "soon"}, "starting_at: Input should be a valid datetime"),
        ({"bucket_width": "1w"}, "bucket_width: Input should be '1d', '1h' or '1m'"),
        ({"group_by[]": ["model", "mood"]}, "group_by.1: Input should be"),
        ({"context_window": "1M"}, "context_window.0: Input should be '0-200k' or '200k-1M'"),
        ({"limit": "0"}, "limit: Input should be greater than or equal to 1"),
        ({"page": "page_x"}, "page: Invalid page token"),
        ({"models[]": "a\0b"}, "models.0: Input should be a valid string"),
        ({"starting_at": "9999-12-31"}, "ending_at: must be later than starting_at"),
        ({"ending_at": "2026-11-09"}, "ending_at: must be later than starting_at"),
    ],
)
def test_what_cannot_be_asked_is_400_and_says_which_parameter(query: dict[str, Any], message: str) -> None:
    body = _ask(Team("acme"), status=400, **query)

    assert body["type"] == "error"
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["message"].startswith(message)


def test_unknown_parameters_are_ignored() -> None:
    assert _ask(Team("acme"), beta="true", colour="red")["has_more"] is False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_bearer", [True, False])
def test_the_official_package_reads_it_over_a_real_connection(live_server: Any, is_bearer: bool) -> None:
    """The newest package has no method for this report; its generic `get` signs, sends, and raises like any other."""
    acme = Team("acme")
    acme.use(NOON, USAGE)
    headers = {"anthropic-version": "2023-06-01"} | ({} if is_bearer else {"x-api-key": acme.admin_secret})
    client = anthropic.Anthropic(api_key=acme.admin_secret, base_url=live_server.url, default_headers=headers)
    wrong = client.with_options(api_key="sk-toll-admin01-wrong", default_headers={}, max_retries=0)
    options: Any = {"params": {"starting_at": "2026-11-10T00:00:00Z", "group_by": ["model"]}}

    body: Any = client.get(ADDRESS, cast_to=object, options=options)
    with pytest.raises(anthropic.AuthenticationError) as caught:
        wrong.get(ADDRESS, cast_to=object, options=options)

    assert body["data"][0]["results"][0]["model"] == "claude-sonnet-5-5"
    assert caught.value.request_id is not None
