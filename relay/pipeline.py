"""One metered request, from its head to its END. `serve` tells the story; every step has a file of its own."""

import asyncio

from apikeys.caller import Caller
from metering.admission import Demand, Grant
from metering.attempt import MeteredRequest
from relay import body, errors, estimate, recording
from relay.authentication import authenticate
from relay.body import HeldBody
from relay.call import Call, HeaderList
from relay.client import Client
from relay.errors import ApiError
from relay.forward import Failure
from relay.passage import Passage
from relay.reading import Reading
from relay.refusing import identity, refuse
from relay.routing import Target
from relay.services import Services
from relay.upstreams.base import Outbound

ENDPOINT = "messages"


async def serve(call: Call, services: Services) -> None:
    """`POST /v1/messages`: authenticate, read, route, admit, begin, forward, meter, settle."""
    body.check_declared_size(call)
    caller = await authenticate(call, services.authenticator)
    held = HeldBody(services.bodies, caller.organization_id)
    reading: Reading | None = None
    metered: MeteredRequest | None = None
    try:
        check_head(call, caller)
        await body.read(call, held)
        reading = await services.reader.read(held.content)
        targets = services.routes.routes().targets(reading.model)
        grant = await admit(caller, reading, services)
        metered = recording.begin(call, caller, ENDPOINT, services, grant, reading, targets[0])
        await exchange(call, caller, held, reading, targets, metered, services)
    except ApiError as refusal:
        recording.refusal(call, caller, ENDPOINT, services, refusal, reading)
        await refuse(call, refusal, caller)
    except BaseException as error:
        if metered is None:  # else it is settled
            why = errors.shutting_down() if isinstance(error, asyncio.CancelledError) else errors.internal()
            recording.refusal(call, caller, ENDPOINT, services, why, reading)
        raise
    finally:
        held.release()


def check_head(call: Call, caller: Caller) -> None:
    call.check_version()
    call.check_encoding()
    asked = call.text(b"anthropic-workspace-id")
    if asked and asked != caller.workspace_id:
        raise errors.workspace_foreign()


async def admit(caller: Caller, reading: Reading, services: Services) -> Grant:
    demand = Demand(
        model=recording.model_id(reading.model),
        input_tokens=estimate.input_tokens(reading),
        max_output_tokens=reading.max_tokens,
    )
    return await services.admission.admit(caller, demand)


async def exchange(
    call: Call,
    caller: Caller,
    held: HeldBody,
    reading: Reading,
    targets: tuple[Target, ...],
    metered: MeteredRequest,
    services: Services,
) -> None:
    """Forward and pass the answer on. Whatever happens, the request is settled when this returns or raises."""
    client = Client(call, services.drains)
    client.may_drain = targets[0].drains
    client.watch()
    try:
        outbound = Outbound(call.raw_headers, held.content, call.request_id, reading.model, reading.is_stream)
        outcome = await services.forwarder.send(outbound, targets, metered)
        del outbound
        held.release()
        if isinstance(outcome, Failure):
            client.unwatch()
            settle_failure(call, metered, outcome, client)
            await refuse(call, outcome.reply, caller)
            return
        answer, target = outcome
        client.may_drain = target.drains
        headers = [*identity(call, caller), *marks(target)]
        await Passage(call, client, answer, metered, headers).run()
    except asyncio.CancelledError:
        if not client.gave_up:
            settle(call, metered, "interrupted", status=503, reason="shutdown", is_estimated=True)
            raise
        settle(call, metered, "client_closed", status=499, is_estimated=True)
    finally:
        client.unwatch()
        # Counts only when nothing above has settled.
        settle(call, metered, "interrupted", status=500, reason="internal", is_estimated=True)


def settle(
    call: Call, metered: MeteredRequest, outcome: str, *, status: int, reason: str = "", is_estimated: bool = False
) -> None:
    metered.settle(outcome=outcome, status=status, at_us=call.now_us(), reason=reason, is_estimated=is_estimated)


def settle_failure(call: Call, metered: MeteredRequest, failure: Failure, client: Client) -> None:
    metered.settle(
        outcome="client_closed" if client.is_gone else "upstream_error",
        status=failure.status,
        at_us=call.now_us(),
        reason=failure.reason,
        error_type=failure.error_type,
        is_estimated=failure.is_unknown,
    )


def marks(target: Target) -> HeaderList:
    return [(b"x-tollgate-simulated", b"true")] if target.adapter.is_simulated else []
