"""An upstream's error: the tenant's own passes, the operator's account never reaches the tenant."""

import json

import pytest

from relay.upstream_errors import translate

OPERATOR = b"0f9dff34-1c12-4c8e-9a20-5ba6a3d0b1c5"
ID = "req_01ours"


def body(type_: str, message: str, **more: object) -> bytes:
    return json.dumps(
        {"type": "error", "error": {"type": type_, "message": message, **more}, "request_id": "req_theirs"}
    ).encode()


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (401, body("authentication_error", "invalid x-api-key")),
        (402, body("billing_error", "card declined")),
        (403, body("permission_error", "no")),
        (400, body("invalid_request_error", "Your credit balance is too low to access the Anthropic API.")),
        (400, body("invalid_request_error", "You have reached your specified API usage limits. You will regain")),
        (429, body("rate_limit_error", "spent", details={"error_code": "enforced_spend_limit_reached"})),
    ],
)
def test_a_refusal_of_the_operators_account_is_our_503(status: int, content: bytes) -> None:
    refusal = translate(status, [], content, ID)

    assert (refusal.status, refusal.error_type, refusal.blames_account) == (503, "api_error", True)
    assert b"credit" not in refusal.body
    assert refusal.fails_over


def test_the_upstreams_rate_limit_is_our_overload_with_its_retry_after() -> None:
    refusal = translate(429, [(b"retry-after", b"7")], body("rate_limit_error", "org limit"), ID)

    assert (refusal.status, refusal.error_type) == (529, "overloaded_error")
    assert (b"retry-after", b"7") in refusal.headers
    assert json.loads(refusal.body)["request_id"] == ID


def test_a_mistake_of_the_tenant_passes_under_our_request_id() -> None:
    headers = [(b"content-type", b"application/json"), (b"anthropic-organization-id", OPERATOR), (b"cf-ray", b"1")]
    content = body("invalid_request_error", f"bad thing in org {OPERATOR.decode()}", details={"error_code": "x"})

    refusal = translate(400, headers, content, ID)

    told = json.loads(refusal.body)
    assert refusal.status == 400
    assert told["request_id"] == ID
    assert told["error"]["details"] == {"error_code": "x"}
    assert OPERATOR not in refusal.body
    assert refusal.headers == [(b"content-type", b"application/json")]
    assert not refusal.fails_over


def test_an_html_page_from_an_edge_passes_as_it_is() -> None:
    refusal = translate(502, [(b"content-type", b"text/html")], b"<html>bad gateway</html>", ID)

    assert (refusal.status, refusal.body, refusal.error_type) == (502, b"<html>bad gateway</html>", "api_error")
    assert refusal.fails_over


def test_a_redirect_is_never_followed() -> None:
    refusal = translate(307, [(b"location", b"http://elsewhere/")], b"", ID)

    assert refusal.status == 502
    assert not any(name == b"location" for name, _ in refusal.headers)


@pytest.mark.parametrize("status", [500, 503, 504, 529])
def test_a_failing_upstream_lets_the_next_one_try(status: int) -> None:
    refusal = translate(status, [], body("api_error", "x"), ID)

    assert (refusal.status, refusal.fails_over) == (status, True)


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_that_nobody_can_pass_on_is_a_bad_gateway(status: int) -> None:
    refusal = translate(status, [], b"{}", ID)

    assert (refusal.status, refusal.error_type, refusal.fails_over) == (502, "api_error", True)


def test_an_error_with_a_number_beyond_64_bits_passes() -> None:
    refusal = translate(400, [], body("invalid_request_error", "x", n=10**40), ID)

    assert json.loads(refusal.body)["error"]["n"] == 10**40


@pytest.mark.parametrize("name", [b'"', b"e", b":", b"12345678"])
def test_an_organization_that_is_no_id_takes_nothing_out_of_the_body(name: bytes) -> None:
    refusal = translate(400, [(b"anthropic-organization-id", name)], body("api_error", "x", n=12345678), ID)

    assert json.loads(refusal.body)["error"] == {"type": "api_error", "message": "x", "n": 12345678}


@pytest.mark.parametrize("code", [{"a": 1}, ["x"], None, 5])
def test_a_code_that_is_no_text_is_no_code(code: object) -> None:
    refusal = translate(400, [], body("invalid_request_error", "x", details={"error_code": code}), ID)

    assert (refusal.status, refusal.blames_account) == (400, False)
