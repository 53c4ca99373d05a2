"""The Usage room: its table, its chart's table, its file and the reports of the API say the same, to the last digit."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client

from apikeys import actions
from tests.console.conftest import OPERATOR, Tenant, make_tenant
from tests.console.traffic import Traffic

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)
YESTERDAY = NOW.replace(hour=9, minute=31, second=5, microsecond=0) - timedelta(days=1)
LAST_WEEK = YESTERDAY - timedelta(days=6)
TOKENS = (
    "uncached_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
)


@pytest.fixture
def acme() -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """Three models, two keys, two days, every kind of token, an error and refusals; a stranger's traffic beside it."""
    traffic = Traffic()
    cached = {
        "input_tokens": 11,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "cache_read_input_tokens": 4_001,
        "output_tokens": 77,
        "server_tool_use": {"web_search_requests": 2},
    }
    traffic.request(acme.key, YESTERDAY, {"input_tokens": 12, "output_tokens": 87})
    traffic.request(acme.key, YESTERDAY + timedelta(hours=3), cached, model="claude-opus-5")
    traffic.request(
        acme.research_key, LAST_WEEK, {"input_tokens": 1_000, "output_tokens": 1}, model="claude-haiku-4-5-20251001"
    )
    traffic.request(acme.research_key, LAST_WEEK, {"input_tokens": 5, "output_tokens": 6})
    traffic.request(acme.key, LAST_WEEK, None, outcome="upstream_error", status=529)
    traffic.refusal(acme.key, YESTERDAY, count=40)
    globex = make_tenant("globex")
    traffic.request(globex.key, YESTERDAY, {"input_tokens": 999_999, "output_tokens": 999_999}, model="claude-canary")
    traffic.ship()
    return acme


def lines(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def cells(html: str) -> list[str]:
    return [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", html, re.S)]


def rows(page: str, table: str) -> list[list[str]]:
    body = re.search(rf'<table[^>]*id="{table}".*?</table>', page, re.S)
    assert body is not None
    return [cells(row) for row in re.findall(r"<tr.*?</tr>", body[0], re.S)]


def number(text: str) -> int:
    return int(text.replace("\u202f", ""))


def report(client: Client, path: str, secret: str, **query: Any) -> list[dict[str, Any]]:
    headers = {"x-api-key": secret, "anthropic-version": "2023-06-01"}
    start = (LAST_WEEK - timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    answer = client.get(f"/v1/organizations/{path}", {"starting_at": start, "limit": 31, **query}, headers=headers)
    assert answer.status_code == 200, answer.text
    return [item for bucket in answer.json()["data"] for item in bucket["results"]]


def test_page_file_and_api_say_the_same(used: Tenant) -> None:
    client = used.signed_in()
    page = client.get(used.address("usage?range=30d")).text
    file = lines(client, used.address("usage.csv?range=30d"))
    _, secret = actions.create_key(organization=used.organization, name="reports", kind="admin", actor=OPERATOR)
    usage = report(client, "usage_report/messages", secret, **{"group_by[]": "model"})
    cost = report(client, "cost_report", secret)

    heads, *groups, total = rows(page, "groups")
    in_file = {name: sum(int(line[name]) for line in file) for name in ("requests", *TOKENS)}
    of_page = dict(zip(("requests", *TOKENS), map(number, total[1:7]), strict=True))
    of_api = {
        "uncached_input_tokens": sum(item["uncached_input_tokens"] for item in usage),
        "cache_creation_5m_input_tokens": sum(item["cache_creation"]["ephemeral_5m_input_tokens"] for item in usage),
        "cache_creation_1h_input_tokens": sum(item["cache_creation"]["ephemeral_1h_input_tokens"] for item in usage),
        "cache_read_input_tokens": sum(item["cache_read_input_tokens"] for item in usage),
        "output_tokens": sum(item["output_tokens"] for item in usage),
    }

    assert heads[0] == "Model"
    assert of_page == in_file == {"requests": 45, **of_api}
    assert of_api["cache_read_input_tokens"] == 4_001
    assert [sum(number(row[column]) for row in groups) for column in range(1, 7)] == list(of_page.values())
    exact = re.findall(r'title="([\d.]+) USD"', page)
    assert Decimal(exact[-1]) == sum(Decimal(line["cost_usd"]) for line in file)
    assert Decimal(exact[-1]) == sum(Decimal(item["amount"]) for item in cost) / 100
    assert "canary" not in page


def test_the_charts_table_holds_every_day_and_the_same_sum(used: Tenant) -> None:
    page = used.signed_in().get(used.address("usage?range=30d&measure=tokens")).text

    heads, *days, total = rows(page, "steps")

    assert len(days) == 30
    assert heads[1:-1] == re.findall(r'data-series="\w+">([^<]+)<', page)
    assert {day[0]: number(day[-1]) for day in days if number(day[-1])} == {
        YESTERDAY.strftime("%Y-%m-%d"): 99 + 4_389,
        LAST_WEEK.strftime("%Y-%m-%d"): 1_001 + 11,
    }
    assert number(total[-1]) == sum(number(day[-1]) for day in days)
    drawn = [int(value) for value in re.findall(r'data-value="(\d+)"', page)]
    assert sum(drawn) == number(total[-1])


@pytest.mark.parametrize(
    ("query", "requests"),
    [
        ("range=30d", 45),
        ("range=custom&from={week}&to={week}", 3),
        ("range=30d&model=claude-opus-5", 1),
        ("range=30d&key={research}", 2),
        ("range=30d&key={key}&model=claude-opus-5&group=api_key_id", 1),
        ("range=30d&group=workspace_id", 45),
        ("range=30d&model=claude-nothing", 0),
    ],
)
def test_filters_narrow_page_and_file_alike(used: Tenant, query: str, requests: int) -> None:
    client = used.signed_in()
    asked = query.format(week=LAST_WEEK.strftime("%Y-%m-%d"), key=used.key.id, research=used.research_key.id)

    page = client.get(used.address(f"usage?{asked}")).text
    file = lines(client, used.address(f"usage.csv?{asked}"))

    shown = re.search(r"<dt>Requests</dt><dd[^>]*>([^<]+)<", page)
    assert shown is not None
    assert number(shown[1]) == sum(int(line["requests"]) for line in file) == requests


def test_a_workspace_shows_only_its_own(used: Tenant) -> None:
    client = used.signed_in()

    file = lines(client, used.address("usage.csv?group=api_key_id", scope=used.research.id))

    assert {line["api_key_id_name"] for line in file} == {"acme-research"}
    page = client.get(used.address("usage", scope=used.research.id)).text
    assert "claude-opus-5" not in page
    assert used.key.name not in page


def test_a_developer_of_one_workspace_sums_only_that_one(used: Tenant) -> None:
    client = used.signed_in(used.person("bob", "user", "workspace_developer"))

    file = lines(client, used.address("usage.csv?group=workspace_id"))

    assert {line["workspace_id"] for line in file} == {used.research.id}
    home = client.get(used.address()).text
    assert "claude-opus-5" not in home


def test_short_times_are_seen_by_the_hour(used: Tenant) -> None:
    day = YESTERDAY.strftime("%Y-%m-%d")

    page = used.signed_in().get(used.address(f"usage?from={day}&to={day}&measure=requests")).text

    _, *hours, total = rows(page, "steps")
    assert len(hours) == 24
    assert {hour[0]: number(hour[-1]) for hour in hours if number(hour[-1])} == {f"{day} 09:00": 41, f"{day} 12:00": 1}
    assert number(total[-1]) == 42


def test_a_name_in_a_file_does_not_run_as_a_formula(used: Tenant) -> None:
    actions.rename_key(used.key, '=HYPERLINK("http://evil.example")', actor=OPERATOR)

    file = lines(used.signed_in(), used.address(f"usage.csv?group=api_key_id&key={used.key.id}"))

    assert {line["api_key_id_name"] for line in file} == {'\'=HYPERLINK("http://evil.example")'}


def test_nothing_used_says_so(acme: Tenant) -> None:
    page = acme.signed_in().get(acme.address("usage")).text

    assert "Nothing was used in this time" in page
    assert '<table class="data" id="groups"' not in page


def test_simulated_rows_leave_the_figures_once_a_real_upstream_exists(used: Tenant) -> None:
    from relay.actions import add_upstream

    traffic = Traffic()
    traffic.request(used.key, YESTERDAY, {"input_tokens": 7, "output_tokens": 7}, upstream="main")
    traffic.ship()
    add_upstream("anthropic", "main", credential="secret", actor=OPERATOR)

    file = lines(used.signed_in(), used.address("usage.csv?model=claude-sonnet-4-5-20250929"))

    assert [(line["uncached_input_tokens"], line["output_tokens"]) for line in file] == [("7", "7")]


def test_home_sums_up_the_month(used: Tenant) -> None:
    client = used.signed_in()
    start = NOW.replace(day=1).strftime("%Y-%m-%d")
    month = lines(client, used.address(f"usage.csv?from={start}&to={NOW:%Y-%m-%d}"))

    page = client.get(used.address()).text

    spent = re.search(r'<dt>Spent this month</dt><dd[^>]*title="([\d.]+) USD"', page)
    requests = re.search(r"<dt>Requests</dt><dd>([^<]+)<", page)
    assert spent is not None
    assert requests is not None
    assert Decimal(spent[1]) == sum(Decimal(line["cost_usd"]) for line in month)
    assert number(requests[1]) == sum(int(line["requests"]) for line in month)


def test_home_of_a_newcomer_holds_the_first_request(acme: Tenant) -> None:
    page = acme.signed_in().get(acme.address(), headers={"host": "localhost:8123"}).text

    assert "From here to the first answer" in page
    assert "curl http://localhost:8123/v1/messages" in page


def test_keys_show_what_they_spent_this_month(used: Tenant) -> None:
    client = used.signed_in()
    month = lines(client, used.address(f"usage.csv?range=month&group=api_key_id&key={used.key.id}"))
    spent = sum(Decimal(line["cost_usd"]) for line in month)

    page = client.get(used.address(f"keys/{used.key.id}")).text

    shown = re.search(r"<dt>Spent this month</dt><dd>([^<]+)<", page)
    assert shown is not None
    assert shown[1] == (f"${spent:.2f}" if spent >= Decimal("0.005") else ("&lt;$0.01" if spent else "$0.00"))
