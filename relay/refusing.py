"""Sending a refusal so that the client gets to read it, and its connection stays fit for the next request."""

from collections.abc import Iterable

from apikeys.caller import Caller
from relay import body
from relay.call import Call, HeaderList
from relay.errors import JSON, ApiError
from relay.upstream_errors import Refusal

SMALL_BODY = 1 << 16
"""A server drops an unread body of this size by itself, and keeps the connection."""


async def refuse(
    call: Call, refusal: ApiError | Refusal, caller: Caller | None, rate_headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send it, unless an answer has begun. A large body that nobody reads costs the client its connection."""
    if call.is_answered:
        return
    call.is_answered = True
    status, headers, content = _rendered(refusal, call.request_id)
    headers += identity(call, caller)
    headers += rate_headers
    headers.append((b"content-length", str(len(content)).encode()))
    leaves_body = not call.is_read and _has_large_body(call)
    if leaves_body:
        headers.append((b"connection", b"close"))
    await call.send({"type": "http.response.start", "status": status, "headers": headers})
    await call.send({"type": "http.response.body", "body": content, "more_body": leaves_body})
    if leaves_body:
        await body.linger(call)
        await call.send({"type": "http.response.body", "body": b"", "more_body": False})


def _rendered(refusal: ApiError | Refusal, request_id: str) -> tuple[int, HeaderList, bytes]:
    if isinstance(refusal, Refusal):
        return refusal.status, list(refusal.headers), refusal.body
    headers = [JSON, *refusal.headers]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    return refusal.status, headers, refusal.body(request_id)


def identity(call: Call, caller: Caller | None) -> HeaderList:
    """Our own ids, in place of whatever the upstream calls itself."""
    headers = [(b"request-id", call.request_id.encode())]
    if caller is not None:
        headers.append((b"anthropic-organization-id", caller.organization_id.encode()))
        if caller.workspace_id is not None:
            headers.append((b"anthropic-workspace-id", caller.workspace_id.encode()))
    return headers


def _has_large_body(call: Call) -> bool:
    declared = call.declared_bytes
    if declared is None:
        return b"transfer-encoding" in call.headers
    return declared > SMALL_BODY
