"""From a reply or a refusal to bytes on the wire, with the headers that every answer carries."""

from typing import Any

import orjson

from relay.upstreams.simulator.call import Reply
from relay.upstreams.simulator.limits import ORGANIZATION_ID, WORKSPACE_ID, rate_headers
from relay.upstreams.simulator.refusals import TYPES, Refusal, error_type_of, should_retry
from relay.upstreams.simulator.script import Script
from relay.upstreams.simulator.visit import Visit
from relay.upstreams.simulator.wire import Faulted, Wire

Headers = list[tuple[bytes, bytes]]

JSON_TYPE = (b"content-type", b"application/json")
HTML_TYPE = (b"content-type", b"text/html; charset=utf-8")
STREAM_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
]
PAGE = b"<html>\r\n<head><title>Bad gateway</title></head>\r\n<body><h1>Bad gateway</h1></body>\r\n</html>\r\n"
MESSAGES = {
    401: "invalid x-api-key",
    402: "Your account has a payment problem. Please check Plans & Billing.",
    403: "Your API key does not have permission to use the specified resource.",
    404: "Not found",
    413: "Request exceeds the maximum size",
    429: (
        "This request would exceed your organization's rate limit of 2,000,000 input tokens per minute "
        f"(org: {ORGANIZATION_ID}). Please reduce the prompt length, or try again later."
    ),
    500: "Internal server error",
    503: "Service unavailable",
    504: "The request took too long",
    529: "Overloaded",
}


async def deliver(visit: Visit, wire: Wire, reply: Reply) -> None:
    """Send a good answer; the visit says afterwards what of it went out."""
    visit.status = 200
    if reply.events is None:
        await _send_json(visit, wire, reply.payload or {}, _common_headers(visit))
    else:
        await wire.start(200, [*STREAM_HEADERS, *_common_headers(visit)])
        for event in reply.events:
            await wire.event(event)
            visit.events += 1
            visit.sent(event)
        await wire.end()
    if visit.script.spoils:
        raise Faulted
    visit.outcome = "finished"


async def refuse(visit: Visit, wire: Wire, refusal: Refusal) -> None:
    """Send an error."""
    visit.status = refusal.status
    headers = [*_common_headers(visit), (b"x-should-retry", b"true" if should_retry(refusal.status) else b"false")]
    headers += [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
    content = orjson.dumps(refusal.body(visit.request_id))
    await _send(wire, refusal.status, [JSON_TYPE, *headers], content)
    visit.outcome = "refused"


async def replace_answer(visit: Visit, wire: Wire) -> None:
    """Send the error or the page that the script asks for."""
    script = visit.script
    if script.html:
        visit.status = script.status or 200
        await _send(wire, visit.status, [HTML_TYPE, *_common_headers(visit)], PAGE)
    else:
        await refuse(visit, wire, _asked_refusal(script))
    raise Faulted


def _asked_refusal(script: Script) -> Refusal:
    status = script.status
    message = script.message or MESSAGES.get(status) or TYPES.get(status, "Internal server error")
    return Refusal(
        status,
        message,
        error_type=script.type or error_type_of(status),
        details={"error_code": script.code} if script.code else None,
        headers={"retry-after": script.retry_after} if script.retry_after else None,
    )


async def _send_json(visit: Visit, wire: Wire, payload: dict[str, Any], headers: Headers) -> None:
    content = orjson.dumps(payload)
    if visit.script.malformed:
        content = content[: len(content) // 2]
    await _send(wire, 200, [JSON_TYPE, *headers], content)
    visit.sent(payload)


async def _send(wire: Wire, status: int, headers: Headers, content: bytes) -> None:
    await wire.start(status, [*headers, (b"content-length", b"%d" % len(content))])
    await wire.body(content)
    await wire.end()


def _common_headers(visit: Visit) -> Headers:
    return [
        (b"request-id", visit.request_id.encode()),
        (b"anthropic-organization-id", ORGANIZATION_ID.encode()),
        (b"anthropic-workspace-id", WORKSPACE_ID.encode()),
        (b"x-tollgate-simulated", b"true"),
        *rate_headers(visit.arrived_at),
    ]
