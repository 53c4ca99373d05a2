"""Limits as clients meet them: headers, exception classes, `retry-after` honoured, changes that hold at once."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import anthropic
import httpx2
import pytest

from tests.gateway import Factory, Gateway
from tests.journeys.installing import Installer
from tests.journeys.limited import HELLO, MODEL, Limited

START = "anthropic-ratelimit-"


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    factory = Factory()
    yield factory(workers=2)
    factory.close()


def rates(headers: httpx2.Headers) -> dict[str, str]:
    return {name.removeprefix(START): value for name, value in headers.items() if name.startswith(START)}


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def test_an_answer_tells_the_tenant_s_own_buckets(running: Gateway) -> None:
    tenant = Limited.make(running, tier="tier_1")

    answer = tenant.client().messages.with_raw_response.create(**HELLO)

    told = rates(answer.headers)
    assert set(told) == {
        f"{kind}-{what}"
        for kind in ("requests", "tokens", "input-tokens", "output-tokens")
        for what in ("limit", "remaining", "reset")
    }
    assert (told["requests-limit"], told["requests-remaining"]) == ("50", "49")
    assert (told["input-tokens-limit"], told["input-tokens-remaining"]) == ("30000", "30000")
    assert (told["output-tokens-limit"], told["tokens-limit"]) == ("8000", "38000")
    wait = moment(told["requests-reset"]) - datetime.now(UTC)
    assert timedelta(seconds=-1) < wait <= timedelta(seconds=3)


def test_a_stream_tells_them_too_and_custom_tells_none(running: Gateway) -> None:
    with Limited.make(running).client().messages.stream(**HELLO) as stream:
        assert rates(stream.response.headers)["requests-limit"] == "10000"
    custom = Limited.make(running, tier="custom").client().messages.with_raw_response.create(**HELLO)

    assert rates(custom.headers) == {}


def test_a_workspace_s_tighter_limit_speaks(running: Gateway) -> None:
    tenant = Limited.make(running)
    tenant.limit("--requests-per-minute", "30", "--input-tokens-per-minute", "20_000", on="workspace")

    told = rates(tenant.client().messages.with_raw_response.create(**HELLO).headers)

    assert (told["requests-limit"], told["input-tokens-limit"], told["tokens-limit"]) == ("30", "20000", "20000")


@pytest.mark.parametrize(
    ("on", "whose"),
    [("key", "this API key's"), ("workspace", "your workspace's"), ("organization", "your organization's")],
)
def test_a_refusal_names_the_limit_and_when_to_come_back(running: Gateway, on: str, whose: str) -> None:
    tenant = Limited.make(running)
    tenant.limit("--requests-per-minute", "2", "--model-class", "Sonnet 4.x", on=on)
    client = tenant.client()
    for _ in range(2):
        client.messages.create(**HELLO)

    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(**HELLO)

    refused = caught.value
    message = refused.body["error"]["message"]  # type: ignore[index,call-overload]
    assert message.startswith(f"This request would exceed {whose} rate limit of 2 requests per minute (")
    assert f"model: {MODEL}, model class: Sonnet 4.x" in message
    assert refused.type == "rate_limit_error"
    assert 20 <= int(refused.response.headers["retry-after"]) <= 30
    assert "x-should-retry" not in refused.response.headers
    told = rates(refused.response.headers)
    assert (told["requests-limit"], told["requests-remaining"]) == ("2", "0")
    assert told["requests-reset"] in message
    client.messages.create(**{**HELLO, "model": "claude-haiku-4-5"})  # another class is another bucket


@pytest.mark.parametrize(
    ("option", "capacity", "words"),
    [("--input-tokens-per-minute", 100, "100 input tokens"), ("--output-tokens-per-minute", 20, "20 output tokens")],
)
def test_tokens_run_out_too(running: Gateway, option: str, capacity: int, words: str) -> None:
    tenant = Limited.make(running)
    tenant.limit(option, str(capacity))
    client = tenant.client()

    def use_up() -> None:
        for _ in range(20):
            client.messages.create(**{**HELLO, "max_tokens": 64})

    with pytest.raises(anthropic.RateLimitError, match=f"rate limit of {words} per minute .* all models"):
        use_up()


def test_the_python_package_waits_as_long_as_it_is_told(running: Gateway) -> None:
    tenant = Limited.make(running)
    tenant.limit("--requests-per-minute", "20")
    seen: list[httpx2.Response] = []
    client = tenant.client(max_retries=2, seen=seen)
    for _ in range(20):
        client.messages.create(**HELLO)
    seen.clear()

    start = time.monotonic()
    client.messages.create(**HELLO)

    assert [answer.status_code for answer in seen] == [429, 200]
    assert time.monotonic() - start >= int(seen[0].headers["retry-after"])


@pytest.mark.parametrize("name", ["typescript", "typescript_one_back"])
def test_the_typescript_packages_do_the_same(running: Gateway, installer: Installer, name: str) -> None:
    tenant = Limited.make(running)
    tenant.limit("--requests-per-minute", "20")
    seen = installer.node(name).run(
        """
import Anthropic, { RateLimitError } from "@anthropic-ai/sdk";
const statuses = [], waits = [];
const counted = async (address, options) => {
  const answer = await fetch(address, options);
  statuses.push(answer.status);
  if (answer.status === 429) waits.push(Number(answer.headers.get("retry-after")));
  return answer;
};
const patient = new Anthropic({ apiKey: process.env.SECRET, baseURL: process.env.BASE_URL, fetch: counted });
const hello = { model: "claude-sonnet-4-6", max_tokens: 16, messages: [{ role: "user", content: "Hello" }] };
for (let n = 0; n < 20; n++) await patient.messages.create(hello);
statuses.length = 0;
let refused = null;
try { await patient.messages.create(hello, { maxRetries: 0 }); } catch (error) {
  const limit = error.headers.get("anthropic-ratelimit-requests-limit");
  refused = { isRateLimit: error instanceof RateLimitError, status: error.status, limit };
}
waits.length = 0; statuses.length = 0;
const start = Date.now();
await patient.messages.create(hello);
console.log(JSON.stringify({ refused, statuses, waits, seconds: (Date.now() - start) / 1000 }));
""",
        running,
        SECRET=tenant.secret,
    )

    assert seen["refused"] == {"isRateLimit": True, "status": 429, "limit": "20"}
    assert seen["statuses"] == [429, 200]
    assert seen["seconds"] >= seen["waits"][0]


def test_a_request_in_flight_holds_its_slot(running: Gateway) -> None:
    tenant = Limited.make(running)
    tenant.limit("--concurrent-requests", "1")
    client = tenant.client()

    with client.messages.stream(**HELLO, extra_headers={"x-tollgate-simulator-pace": "events-per-second=4"}) as stream:
        next(iter(stream))
        with pytest.raises(anthropic.RateLimitError, match="limit of 1 concurrent request") as caught:
            client.messages.create(**HELLO)
        shown = json.loads(running.command("limit", "show", "--key", tenant.secret, "--json").stdout)["limits"]
        stream.until_done()

    assert caught.value.response.headers["retry-after"] == "1"
    assert [(line["kind"], line["limit"], line["used"], line["left"]) for line in shown] == [("concurrency", 1, 1, 0)]
    client.messages.create(**HELLO)


def test_a_limit_and_a_tier_take_effect_at_once_and_are_shown(running: Gateway) -> None:
    tenant = Limited.make(running)
    client = tenant.client()
    client.messages.create(**HELLO)
    tenant.limit("--requests-per-minute", "0", on="organization")
    with pytest.raises(anthropic.RateLimitError):
        client.messages.create(**HELLO)
    tenant.limit("--requests-per-minute", "none", on="organization")
    client.messages.create(**HELLO)

    running.command("tier", "set", "--organization", tenant.organization, "tier_1", "--pin")

    told = rates(client.messages.with_raw_response.create(**HELLO).headers)
    assert told["requests-limit"] == "50"
    shown = running.command("tier", "show", "--organization", tenant.organization).stdout
    assert "tier_1" in shown
    assert "scale to tier_1: set" in shown
    lines = json.loads(running.command("limit", "show", "--organization", tenant.organization, "--json").stdout)
    sonnet = [line for line in lines["limits"] if (line["model_class"], line["kind"]) == ("Sonnet 4.x", "requests")]
    assert [(one["scope"], one["limit"], one["source"]) for one in sonnet] == [("organization", 50, "tier")]


def test_what_is_left_is_shown(running: Gateway) -> None:
    tenant = Limited.make(running)
    tenant.limit("--requests-per-minute", "4")
    for _ in range(3):
        tenant.client().messages.create(**HELLO)

    shown = json.loads(running.command("limit", "show", "--key", tenant.secret, "--json").stdout)["limits"]

    assert [(line["kind"], line["limit"], line["left"], line["wins"]) for line in shown] == [("requests", 4, 1, True)]
    assert moment(shown[0]["resets_at"][:19] + "Z") > datetime.now(UTC) + timedelta(seconds=15)


def test_the_default_workspace_cannot_be_limited(running: Gateway) -> None:
    tenant = Limited.make(running)
    done = running.command(
        *("limit", "set", "--organization", tenant.organization, "--workspace", "Default"),
        *("--requests-per-minute", "5"),
        check=False,
    )

    assert (done.returncode, "default workspace cannot carry limits" in done.stderr) == (1, True)


def test_an_upstream_s_failure_takes_nothing(running: Gateway) -> None:
    tenant = Limited.make(running)
    tenant.limit("--requests-per-minute", "2")
    client = tenant.client()
    for _ in range(5):
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(**{**HELLO, "messages": [{"role": "nobody", "content": "Hello"}]})

    client.messages.create(**HELLO)
