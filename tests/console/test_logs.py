"""The Logs room: every request once, newest first, found by what one knows of it, and explained."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.console.conftest import Tenant, make_tenant
from tests.console.traffic import Traffic

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)
USAGE = {"input_tokens": 2_147, "cache_creation_input_tokens": 9_011, "output_tokens": 190}


@pytest.fixture
def acme() -> Tenant:
    return make_tenant("acme")


def ids(page: str) -> list[str]:
    return re.findall(r'<a class="mono" href="[^"]*/logs/(req_\w+)"', page)


def test_pages_go_through_all_requests_once_newest_first(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    traffic = Traffic()
    same_moment = NOW - timedelta(minutes=90)
    sent = [traffic.request(acme.key, NOW - timedelta(hours=1, seconds=s), USAGE) for s in range(5)]
    together = [traffic.request(acme.key, same_moment, USAGE) for _ in range(5)]
    traffic.ship()
    monkeypatch.setattr("metering.console.logs.PAGE", 3)
    client = acme.signed_in()

    seen: list[str] = []
    query: str | None = "?range=24h"
    while query:
        page = client.get(acme.address("logs") + query).text
        assert len(ids(page)) <= 3
        seen += ids(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        query = older and older[1].replace("&amp;", "&")
        assert query is None or "range=24h" in query

    assert seen == sent + sorted(together, reverse=True)


def test_requests_are_found_by_what_one_knows_of_them(acme: Tenant) -> None:
    traffic = Traffic()
    hour_ago, month_ago = NOW - timedelta(minutes=50), NOW - timedelta(days=29)
    good = traffic.request(acme.key, hour_ago, USAGE)
    left = traffic.request(acme.research_key, hour_ago, USAGE, outcome="client_closed", model="claude-opus-5")
    failed = traffic.request(acme.key, hour_ago, None, outcome="upstream_error", status=529)
    cut = traffic.request(acme.key, hour_ago, None, outcome="interrupted", status=500)
    old = traffic.request(acme.key, month_ago, USAGE)
    refused = traffic.refusal(acme.key, hour_ago, count=3)
    traffic.ship()
    client = acme.signed_in()

    def found(query: str) -> set[str]:
        return set(ids(client.get(acme.address(f"logs?{query}")).text))

    assert found("") == {good, left, failed, cut, refused}
    assert found("range=any") == {good, left, failed, cut, refused, old}
    assert found(f"id={old}") == {old}
    assert found(f"id=+{good}+&status=refused") == {good}
    assert found("status=completed") == {good}
    assert found("status=client_closed") == {left}
    assert found("status=errors") == {failed, cut, refused}
    assert found("status=429") == found("status=4xx") == found("status=refused") == {refused}
    assert found("status=5xx") == {failed, cut}
    assert found(f"key={acme.research_key.id}") == {left}
    assert found("model=claude-opus-5") == {left, refused}
    assert found("range=1h&model=claude-opus-5&status=client_closed") == {left}
    from_to = f"from={month_ago:%Y-%m-%dT%H:%M}&to={NOW - timedelta(days=28):%Y-%m-%dT%H:%M}"
    assert found(f"range=custom&{from_to}") == {old}
    assert found("range=custom&from=nonsense&to=") == found("range=any")
    assert found("before=nonsense&status=nonsense&range=nonsense") == found("")


def test_one_request_is_explained(acme: Tenant) -> None:
    traffic = Traffic()
    at = NOW - timedelta(hours=1)
    request_id = traffic.request(
        acme.key,
        at,
        None,
        upstream="first",
        is_final=False,
        outcome="upstream_error",
        status=503,
        error_type="api_error",
    )
    traffic.request(acme.key, at, USAGE, upstream="second", attempt=2, request_id=request_id, is_stream=True)
    traffic.ship()

    page = acme.signed_in().get(acme.address(f"logs/{request_id}")).text
    text = re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", page))

    assert "2 attempts" in text
    assert "first" in text
    assert "api_error" in text
    assert "second" in text
    assert "Input, not cached 2\u202f147 3 0.006441" in text
    assert "Cache write, 5 minutes 9\u202f011 3.75 0.03379125" in text
    assert "Output 190 15 0.00285" in text
    assert "Total, USD 0.04308225" in text
    assert "end_turn" in text
    assert "&quot;input_tokens&quot;: 2147" in page
    assert "simulated" not in text
    assert "acme-first" in text
    assert ids(acme.signed_in().get(acme.address("logs")).text) == [request_id]


def test_what_is_not_exact_is_labelled(acme: Tenant) -> None:
    traffic = Traffic()
    guessed = traffic.request(acme.key, NOW, USAGE, is_estimated=True, outcome="client_closed")
    unpriced = traffic.request(acme.key, NOW, USAGE, model="claude-from-the-future")
    many = traffic.refusal(acme.key, NOW, count=12)
    traffic.ship()
    client = acme.signed_in()

    def page(request_id: str) -> str:
        return client.get(acme.address(f"logs/{request_id}")).text

    assert "tokens and cost are estimated" in page(guessed)
    assert "No price was known" in page(unpriced)
    assert ">simulated<" in page(unpriced)
    assert "One row for 12 refusals" in page(many)
    overview = client.get(acme.address("logs")).text
    for tag in (">estimated<", ">unpriced<", "× 12"):
        assert tag in overview


def test_an_outsider_finds_nothing_by_any_id(acme: Tenant) -> None:
    globex = make_tenant("globex")
    traffic = Traffic()
    request_id = traffic.request(acme.key, NOW, USAGE)
    traffic.ship()
    outsider = globex.signed_in()

    assert outsider.get(acme.address(f"logs/{request_id}")).status_code == 404
    assert outsider.get(globex.address(f"logs/{request_id}")).status_code == 404
    page = outsider.get(globex.address(f"logs?range=any&id={request_id}&key={acme.key.id}"))
    assert ids(page.text) == []
    assert "No request with this id" in page.text
    assert acme.key.name not in page.text


def test_a_developer_of_one_workspace_finds_only_its_requests(acme: Tenant) -> None:
    traffic = Traffic()
    other = traffic.request(acme.key, NOW, USAGE)
    own = traffic.request(acme.research_key, NOW, USAGE)
    traffic.ship()
    client = acme.signed_in(acme.person("bob", "user", "workspace_developer"))

    assert ids(client.get(acme.address("logs")).text) == [own]
    assert client.get(acme.address(f"logs/{other}")).status_code == 404
    assert client.get(acme.address(f"logs/{own}")).status_code == 200


def test_a_row_stays_small_whatever_stands_in_it(acme: Tenant) -> None:
    traffic = Traffic()
    request_id = traffic.request(acme.key, NOW, USAGE, model="<b>claude</b>" * 10, stop_reason="<i>")
    traffic.ship()
    client = acme.signed_in()

    for page in (client.get(acme.address("logs")).text, client.get(acme.address(f"logs/{request_id}")).text):
        assert "<b>claude" not in page
        assert "<i>" not in page


def test_no_requests_come_with_the_first_one_to_send(acme: Tenant) -> None:
    page = acme.signed_in().get(acme.address("logs")).text

    assert "No requests in this time" in page
    assert "curl http://testserver/v1/messages" in page
