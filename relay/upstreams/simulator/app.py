"""The simulator as an ASGI application: each request is noted in the ledger before and after its answer."""

from collections.abc import Callable, MutableMapping
from typing import Any

from relay.upstreams.simulator import messages, models, script
from relay.upstreams.simulator.call import Call, Reply
from relay.upstreams.simulator.counting.cache import Cache
from relay.upstreams.simulator.delivery import deliver, refuse, replace_answer
from relay.upstreams.simulator.head import Head, check_betas, check_credential, check_version, read_head
from relay.upstreams.simulator.ledger import Ledger
from relay.upstreams.simulator.refusals import Refusal
from relay.upstreams.simulator.script import Script
from relay.upstreams.simulator.visit import Visit, parsed
from relay.upstreams.simulator.wire import ClientGone, Faulted, Receive, Send, Wire

MAXIMUM_BODY_BYTES = 32 << 20

Endpoint = Callable[[Call], Reply]
ROUTES: dict[str, dict[str, Endpoint]] = {
    "/v1/messages": {"POST": messages.create},
    "/v1/messages/count_tokens": {"POST": messages.count_tokens},
    "/v1/models": {"GET": models.list_models},
}
ONE_MODEL: dict[str, Endpoint] = {"GET": models.get_model}


class Simulator:
    """The application. `always` is the script that every request starts from."""

    def __init__(self, ledger: Ledger, *, always: Script | None = None) -> None:
        self._ledger = ledger
        self._cache = Cache()
        self._always = always or Script()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        head = read_head(scope)
        if not head.path.startswith("/v1/"):
            await self._answer_about_itself(head, send)
            return
        visit = Visit(head, self._always)
        try:
            await _read(visit, receive)
        except ClientGone:
            return
        self._ledger.received(visit.arrival())
        try:
            await self._answer(visit, Wire(scope, receive, send, visit))
        except Faulted:
            visit.outcome = "faulted"
        except ClientGone:
            visit.outcome = "cut"
        finally:
            self._ledger.finished(visit.end())

    async def _answer(self, visit: Visit, wire: Wire) -> None:
        await wire.prepare()
        if visit.script.replaces_answer:
            await replace_answer(visit, wire)
        try:
            reply = self._reply(visit)
        except Refusal as refusal:
            await refuse(visit, wire, refusal)
        else:
            await deliver(visit, wire, reply)

    def _reply(self, visit: Visit) -> Reply:
        """Check in the order of the API (version, key, path, betas, JSON), then let the endpoint answer."""
        head = visit.head
        check_version(head)
        owner = check_credential(head)
        endpoint = _endpoint(head)
        betas = check_betas(head)
        if visit.refusal:
            raise visit.refusal
        return endpoint(Call(head, visit.body, visit.script, betas, owner, visit.arrived_at, self._cache))

    async def _answer_about_itself(self, head: Head, send: Send) -> None:
        """`/simulator/ledger`, and a word for whoever looks at the address in a browser."""
        status, kind, content = 404, b"text/plain", b"Not found\n"
        if head.path == "/simulator/ledger":
            since = head.query.get("since", ["0"])[0]
            status, kind, content = 200, b"application/json", self._ledger.read(int(since) if since.isdecimal() else 0)
        elif head.path in ("/", "/healthz"):
            status, content = 200, b"Tollgate's simulator: send requests to /v1/messages.\n"
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def _endpoint(head: Head) -> Endpoint:
    methods = ROUTES.get(head.path) or (ONE_MODEL if head.path.startswith("/v1/models/") else None)
    if methods is None:
        raise Refusal(404, "Not found")
    endpoint = methods.get(head.method)
    if endpoint is None:
        raise Refusal(405, "Method Not Allowed", headers={"allow": ", ".join(methods)})
    return endpoint


async def _read(visit: Visit, receive: Receive) -> None:
    """The body and the script. What is wrong with them waits in `visit.refusal`."""
    try:
        visit.script = script.from_headers(visit.head.headers, otherwise=visit.script)
        visit.raw_body = await _read_body(visit.head, receive)
        if visit.head.method == "POST":
            visit.body = parsed(visit.raw_body)
            visit.script = script.from_user_id(visit.body, otherwise=visit.script)
    except Refusal as refusal:
        visit.refusal = refusal


async def _read_body(head: Head, receive: Receive) -> bytes:
    """The whole body. Raises Refusal (413) as soon as it is known to be too large."""
    if head.declared_bytes > MAXIMUM_BODY_BYTES:
        raise Refusal(413, "Request exceeds the maximum size")
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > MAXIMUM_BODY_BYTES:
            raise Refusal(413, "Request exceeds the maximum size")
        more = message.get("more_body", False)
    return b"".join(pieces)
