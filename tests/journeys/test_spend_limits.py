"""Spend limits as clients meet them: exception classes, words, and that nobody tries again."""

import re
from collections.abc import Iterator

import anthropic
import httpx2
import psycopg
import pytest

from tests.gateway import Factory, Gateway
from tests.journeys.installing import Installer
from tests.journeys.limited import HELLO, Limited

AGAIN = r"You will regain access on \d{4}-\d\d-01 at 00:00 UTC\."


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    factory = Factory()
    yield factory(workers=2)
    factory.close()


def refused(tenant: Limited, **changes: object) -> anthropic.APIStatusError:
    """The error of one request, sent once though its client would retry."""
    seen: list[httpx2.Response] = []
    with pytest.raises(anthropic.APIStatusError) as caught:
        tenant.client(max_retries=2, seen=seen).messages.create(**{**HELLO, **changes})
    assert len(seen) == 1
    assert seen[0].headers["x-should-retry"] == "false"
    assert "retry-after" not in seen[0].headers
    return caught.value


def cap_of_the_tier(gateway: Gateway, tier: str, picos: int) -> None:
    with psycopg.connect(gateway.database_url) as connection:
        connection.execute("UPDATE metering_tier SET monthly_picos = %s WHERE name = %s", [picos, tier])
        connection.execute("SELECT tollgate_refresh_limits(id) FROM apikeys_organization WHERE tier = %s", [tier])


@pytest.mark.parametrize(
    ("on", "words"),
    [
        ("organization", "You have reached your specified API usage limits. "),
        ("workspace", "You have reached your specified workspace API usage limits. "),
        ("key", "You have reached your specified API usage limits for this key. "),
    ],
)
def test_an_own_limit_is_a_bad_request_and_says_when_it_ends(running: Gateway, on: str, words: str) -> None:
    tenant = Limited.make(running)
    tenant.limit("--monthly-spend", "0", on=on)

    error = refused(tenant)

    assert isinstance(error, anthropic.BadRequestError)
    assert error.type == "invalid_request_error"
    assert words in error.message
    assert re.search(AGAIN, error.message)


def test_a_tier_s_cap_has_a_class_of_its_own(running: Gateway) -> None:
    tenant = Limited.make(running, tier="tier_3")
    cap_of_the_tier(running, "tier_3", 0)

    error = refused(tenant)

    assert isinstance(error, anthropic.RateLimitError)
    assert type(error).__name__ == "EnforcedSpendLimitReachedError"
    assert "your organization has crossed its monthly API usage threshold" in error.message


def test_a_worst_case_above_a_strict_limit_names_the_field_to_lower(running: Gateway) -> None:
    tenant = Limited.make(running)
    tenant.limit("--monthly-spend", "0.01", "--mode", "strict")

    error = refused(tenant, max_tokens=4_000)

    assert isinstance(error, anthropic.BadRequestError)
    assert "max_tokens: this request can cost up to $0.06" in error.message
    assert "spend limit of $0.01" in error.message
    tenant.client().messages.create(**HELLO)


def test_a_cost_without_bound_is_refused_under_a_strict_limit_alone(running: Gateway) -> None:
    tenant = Limited.make(running)
    search = [{"type": "web_search_20250305", "name": "web_search"}]
    tenant.limit("--monthly-spend", "100", "--mode", "strict")
    assert "tools" in refused(tenant, tools=search).message

    tenant.limit("--mode", "bounded")
    tenant.client().messages.create(**{**HELLO, "tools": search})


def test_observe_only_watches_and_a_raised_limit_lets_in_at_once(running: Gateway) -> None:
    tenant = Limited.make(running)
    tenant.limit("--daily-spend", "0")
    refused(tenant)
    tenant.limit("--mode", "observe")
    tenant.client().messages.create(**HELLO)
    tenant.limit("--daily-spend", "5", "--mode", "bounded")
    tenant.client().messages.create(**HELLO)


def test_prepaid_credit_is_all_there_is(running: Gateway) -> None:
    tenant = Limited.make(running)
    running.command("credit", "add", "--organization", tenant.organization, "0.002")
    client = tenant.client()

    def use_up() -> None:
        for _ in range(20):
            client.messages.create(**HELLO)

    with pytest.raises(anthropic.BadRequestError, match="Your credit balance is too low to access the Anthropic API"):
        use_up()


@pytest.mark.parametrize("name", ["typescript", "typescript_one_back"])
def test_the_typescript_packages_do_not_try_again(running: Gateway, installer: Installer, name: str) -> None:
    own, capped = Limited.make(running), Limited.make(running, tier="tier_2")
    own.limit("--monthly-spend", "0")
    cap_of_the_tier(running, "tier_2", 0)
    seen = installer.node(name).run(
        """
import Anthropic, { BadRequestError, RateLimitError } from "@anthropic-ai/sdk";
const told = [];
for (const apiKey of [process.env.OWN, process.env.CAPPED]) {
  let sent = 0;
  const counted = (address, options) => { sent += 1; return fetch(address, options); };
  const client = new Anthropic({ apiKey, baseURL: process.env.BASE_URL, fetch: counted });
  try {
    const messages = [{ role: "user", content: "Hello" }];
    await client.messages.create({ model: "claude-sonnet-4-6", max_tokens: 16, messages });
  } catch (error) {
    const kind = error instanceof RateLimitError ? "rate" : error instanceof BadRequestError ? "bad" : "other";
    told.push({ sent, kind, code: error.error.error.details?.error_code ?? null });
  }
}
console.log(JSON.stringify(told));
""",
        running,
        OWN=own.secret,
        CAPPED=capped.secret,
    )

    assert seen == [
        {"sent": 1, "kind": "bad", "code": None},
        {"sent": 1, "kind": "rate", "code": "enforced_spend_limit_reached"},
    ]
