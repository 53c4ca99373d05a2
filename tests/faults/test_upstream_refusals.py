"""What becomes of an upstream's refusal: the operator's trouble is never the tenant's fault."""

import httpx
import pytest

from tests.faults.conftest import SPARED_MODEL, Faulty, always, good
from tests.faults.raw import STREAM_HEAD, chunk, whole
from tests.faults.samples import body, error, frames
from tests.gateway import wait_until
from tests.journeys.rows import attempts, final_row, query

ACCOUNT_REFUSALS = {
    "bad credential": (401, error(401, "authentication_error", "invalid x-api-key")),
    "unpaid": (402, error(402, "billing_error", "Payment required")),
    "forbidden": (403, error(403, "permission_error", "Not for you")),
    "no credit": (
        400,
        error(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    ),
    "own limit": (
        400,
        error(400, "invalid_request_error", "You have reached your specified API usage limits. Access on 2026-12-01."),
    ),
    "tier cap": (
        429,
        error(429, "rate_limit_error", "Too much this month", error_code="enforced_spend_limit_reached"),
    ),
    "not even json": (401, b"<html>Unauthorized</html>"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("case", ACCOUNT_REFUSALS)
async def test_a_refused_account_is_our_503_and_alarms_the_operator(
    faulty: Faulty, client: httpx.AsyncClient, case: str, stream: bool
) -> None:
    status, content = ACCOUNT_REFUSALS[case]
    await _calm(faulty, client)

    async with faulty.raw.answering(always(whole(content, status=b"%d No" % status))):
        answer = await client.post("/v1/messages", json=body(stream=stream))

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert answer.status_code == 503
    assert answer.json()["error"] == {"type": "api_error", "message": "The upstream is not available"}
    assert int(answer.headers["retry-after"]) > 0
    assert (row["outcome"], row["reason"], row["status"]) == ("upstream_error", "upstream_refused_account", status)
    assert row["upstream_request_id"] == "req_upstream"
    wait_until(lambda: _mark(faulty)["refused_at"], what="the operator's alarm")
    assert str(status) in _mark(faulty)["refusal"]
    assert "refused our account" in faulty.gateway.command("upstream", "list").stdout


async def test_a_good_answer_takes_the_alarm_away(faulty: Faulty, client: httpx.AsyncClient) -> None:
    async with faulty.raw.answering(always(whole(ACCOUNT_REFUSALS["unpaid"][1], status=b"402 No"))):
        await client.post("/v1/messages", json=body())
    wait_until(lambda: _mark(faulty)["refused_at"], what="the alarm")

    await _calm(faulty, client)

    assert _mark(faulty)["refusal"] == ""


async def test_the_upstreams_rate_limit_is_our_overload(faulty: Faulty, client: httpx.AsyncClient) -> None:
    content = error(429, "rate_limit_error", "This would exceed your organization's rate limit")

    async with faulty.raw.answering(always(whole(content, b"retry-after: 17", status=b"429 Too Many"))):
        answer = await client.post("/v1/messages", json=body())

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert answer.status_code == 529
    assert answer.headers["retry-after"] == "17"
    assert answer.json()["error"] == {"type": "overloaded_error", "message": "Overloaded"}
    assert (row["outcome"], row["reason"], row["status"]) == ("upstream_error", "upstream_rate_limited", 429)


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        (400, "invalid_request_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ],
)
async def test_other_refusals_pass_under_our_request_id(
    faulty: Faulty, client: httpx.AsyncClient, status: int, type_: str
) -> None:
    content = error(status, type_, "As they said it", error_code="on_hold")

    async with faulty.raw.answering(
        always(whole(content, b"x-should-retry: false", b"retry-after: 3", status=b"%d No" % status))
    ):
        answer = await client.post("/v1/messages", json=body())

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert answer.status_code == status
    assert answer.json()["error"] == {
        "type": type_,
        "message": "As they said it",
        "details": {"error_code": "on_hold"},
    }
    assert answer.json()["request_id"] == answer.headers["request-id"]
    assert (answer.headers["x-should-retry"], answer.headers["retry-after"]) == ("false", "3")
    assert (row["outcome"], row["status"], row["error_type"], row["cost_picos"]) == ("upstream_error", status, type_, 0)
    assert not row["is_estimated"]


async def test_a_page_from_an_edge_passes_as_it_is(faulty: Faulty, client: httpx.AsyncClient) -> None:
    page = b"<html>Bad gateway</html>"

    async with faulty.raw.answering(always(whole(page, status=b"502 Bad Gateway", kind=b"text/html"))):
        answer = await client.post("/v1/messages", json=body())

    assert (answer.status_code, answer.content) == (502, page)


async def test_a_redirect_is_not_followed_and_not_passed_on(faulty: Faulty, client: httpx.AsyncClient) -> None:
    async with faulty.raw.answering(always(whole(b"", b"location: /elsewhere", status=b"307 Elsewhere"))):
        answer = await client.post("/v1/messages", json=body())

    assert answer.status_code == 502
    assert "location" not in answer.headers
    assert len(faulty.raw.requests) == 1


async def test_the_next_upstream_answers_when_the_first_is_overloaded(
    faulty: Faulty, client: httpx.AsyncClient
) -> None:
    refusal = whole(error(529, "overloaded_error", "Overloaded"), status=b"529 Overloaded")

    async with faulty.raw.answering(always(refusal)), faulty.spare.answering(always(good())):
        answer = await client.post("/v1/messages", json=body(SPARED_MODEL))

    first, last = attempts(faulty.gateway, answer.headers["request-id"])
    assert answer.status_code == 200
    assert (first["upstream"], first["outcome"], first["status"], first["is_final"]) == (
        "raw",
        "upstream_error",
        529,
        False,
    )
    assert (last["upstream"], last["outcome"], last["output_tokens"], last["is_final"]) == (
        "spare",
        "completed",
        7,
        True,
    )
    assert (first["requests"], last["requests"]) == (0, 1)


async def test_nothing_is_sent_twice_once_a_byte_has_reached_the_client(
    faulty: Faulty, client: httpx.AsyncClient
) -> None:
    cut = STREAM_HEAD + chunk(frames("Hello")[0]) + b"no size\r\n"

    async with faulty.raw.answering(always(cut)), faulty.spare.answering(always(good())):
        answer = await client.post("/v1/messages", json=body(SPARED_MODEL, stream=True))
        assert faulty.spare.requests == []

    (row,) = attempts(faulty.gateway, answer.headers["request-id"])
    assert answer.content.startswith(frames("Hello")[0] + b"event: error\n")
    assert (row["upstream"], row["outcome"]) == ("raw", "upstream_error")


async def _calm(faulty: Faulty, client: httpx.AsyncClient) -> None:
    """A good answer first: alarms are raised at most once a minute while they last."""
    async with faulty.raw.answering(always(good())):
        assert (await client.post("/v1/messages", json=body())).status_code == 200
    wait_until(lambda: _mark(faulty)["refused_at"] is None, what="the end of the alarm")


def _mark(faulty: Faulty) -> dict[str, object]:
    return query(faulty.gateway, "SELECT refused_at, refusal FROM relay_upstream WHERE name = 'raw'")[0]
