"""From an SDK's call to the reports: complete within two seconds, on every worker, and nobody else's."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anthropic
import httpx
import pytest

from tests.gateway import Gateway, wait_until

FRESH_SECONDS = 2.0


@pytest.fixture(scope="module")
def acme(shared_gateway: Gateway) -> Gateway:
    for name in ("report-acme", "report-globex"):
        shared_gateway.command("org", "create", name)
    return shared_gateway


def _key(gateway: Gateway, organization: str, *more: str) -> str:
    return gateway.command("key", "create", "--organization", organization, *more).stdout.strip()


def _report(gateway: Gateway, admin_key: str, path: str, **query: object) -> list[dict[str, Any]]:
    """The results of all buckets of today."""
    response = httpx.get(
        f"{gateway.address}/v1/organizations/{path}",
        params={"starting_at": f"{datetime.now(UTC):%Y-%m-%d}", **query},  # type: ignore[arg-type]
        headers={"x-api-key": admin_key, "anthropic-version": "2026-10-21", "host": "gateway.example"},
    )
    assert response.status_code == 200, response.text
    return [result for bucket in response.json()["data"] for result in bucket["results"]]


def test_what_was_used_is_in_every_report_within_two_seconds(acme: Gateway) -> None:
    secret = _key(acme, "report-acme", "--workspace", "research")
    admin, stranger = _key(acme, "report-acme", "--admin"), _key(acme, "report-globex", "--admin")
    client = anthropic.Anthropic(api_key=secret, base_url=acme.address)

    message = client.messages.create(
        model="claude-opus-4-8", max_tokens=50, messages=[{"role": "user", "content": "Hello"}]
    )
    ended = time.monotonic()
    wait_until(lambda: _report(acme, admin, "usage_report/messages"), what="the usage report")
    took = time.monotonic() - ended

    assert took < FRESH_SECONDS
    (used,) = _report(acme, admin, "usage_report/messages", **{"group_by[]": "model"})
    assert used["model"] == "claude-opus-4-8"
    assert used["output_tokens"] == message.usage.output_tokens
    assert used["uncached_input_tokens"] == message.usage.input_tokens
    (cost,) = _report(acme, admin, "cost_report")
    cents = (5 * message.usage.input_tokens + 25 * message.usage.output_tokens) * Decimal("0.0001")
    assert Decimal(cost["amount"]) == cents
    assert _report(acme, stranger, "usage_report/messages") == _report(acme, stranger, "cost_report") == []

    told = json.loads(acme.command("usage", "--organization", "report-acme", "--json").stdout)
    assert told["total"]["requests"] == 1
    assert Decimal(told["total"]["cost_usd"]) == cents / 100
    assert (told["rows"][0]["workspace"], told["backlog"]) == ("research", 0)
