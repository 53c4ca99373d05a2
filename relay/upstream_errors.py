"""What an upstream's error becomes for the tenant. Their mistakes pass; the operator's account is never their fault."""

import json
import re
from dataclasses import dataclass
from typing import Any

import jiter
import orjson

from relay import errors
from relay.errors import ApiError

HeaderList = list[tuple[bytes, bytes]]

_PASSED_HEADERS = frozenset({b"content-type", b"retry-after", b"x-should-retry"})
_IDENTITIES = frozenset({b"anthropic-organization-id", b"anthropic-workspace-id"})
_IDENTITY = re.compile(rb"[a-z]+_\w+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ORGANIZATION = re.compile(rb"org(anization)?:? [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ACCOUNT_MESSAGES = (
    "Your credit balance is too low",
    "You have reached your specified API usage limits",
    "You have reached your specified workspace API usage limits",
    "You have reached your API usage limits",
)
_ACCOUNT_CODES = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached"})
_FAILS_OVER = frozenset({500, 502, 503, 504, 529})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An upstream's error answer: what the client gets, and what we learn from it."""

    status: int
    headers: HeaderList
    body: bytes
    error_type: str
    reason: str
    blames_account: bool = False
    account_message: str = ""
    fails_over: bool = False
    """Another upstream might do better."""


def translate(status: int, headers: HeaderList, body: bytes, request_id: str) -> Refusal:
    """The refusal for an answer whose status is not 2xx."""
    error = _error_of(body)
    message = str(error.get("message") or "")
    if _blames_account(status, error, message):
        ours = _ours(errors.upstream_account_refused(), request_id)
        note = f"{status} {error.get('type', '')}: {message}"[:300]
        return Refusal(*ours, blames_account=True, account_message=note, fails_over=True)
    if status == 429:
        return _overloaded(headers, request_id)
    if 300 <= status < 400:
        return Refusal(*_ours(errors.upstream_redirected(), request_id))
    if not 400 <= status < 600:
        return Refusal(*_ours(errors.upstream_status_unknown(), request_id), fails_over=True)
    return Refusal(
        status,
        [header for header in headers if header[0] in _PASSED_HEADERS],
        _cleaned(body, headers, request_id) if error else body,
        str(error.get("type") or errors.error_type(status)),
        "upstream_status",
        fails_over=status in _FAILS_OVER,
    )


def _blames_account(status: int, error: dict[str, Any], message: str) -> bool:
    details = error.get("details")
    code = str(details.get("error_code")) if isinstance(details, dict) else ""
    return status in {401, 402, 403} or code in _ACCOUNT_CODES or message.startswith(_ACCOUNT_MESSAGES)


def _overloaded(headers: HeaderList, request_id: str) -> Refusal:
    """The upstream's rate limit is the operator's: a 429 of ours always means a limit of the tenant."""
    status, _, body, type_, _ = _ours(errors.overloaded("upstream_rate_limited"), request_id)
    kept = [header for header in headers if header[0] == b"retry-after"]
    return Refusal(status, [errors.JSON, *kept], body, type_, "upstream_rate_limited", fails_over=True)


def _ours(error: ApiError, request_id: str) -> tuple[int, HeaderList, bytes, str, str]:
    headers = [errors.JSON, *error.headers]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    return error.status, headers, error.body(request_id), error.type, error.reason


def _error_of(body: bytes) -> dict[str, Any]:
    try:
        value = jiter.from_json(body)
    except ValueError:
        return {}
    error = value.get("error") if isinstance(value, dict) else None
    return error if isinstance(error, dict) else {}


def _cleaned(body: bytes, headers: HeaderList, request_id: str) -> bytes:
    """The same error under our request id, without the ids of the operator's organization."""
    for name, value in headers:
        if name in _IDENTITIES and _IDENTITY.fullmatch(value):
            body = body.replace(value, b"")
    value = jiter.from_json(_ORGANIZATION.sub(b"organization", body))
    value["request_id"] = request_id
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits
        return json.dumps(value).encode()
