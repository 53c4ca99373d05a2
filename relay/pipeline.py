"""One metered request, from its head to its END. `serve` tells the story; every step has a file of its own."""

import asyncio

from apikeys.caller import Caller
from metering import catalogue
from metering.admission import Demand
from metering.attempt import MeteredRequest
from metering.limits.headers import rate_limit_headers
from metering.limits.refusal import LimitReached
from metering.limits.tiers import FALLBACK_CLASS
from metering.limits.worst import worst_picos
from relay import body, errors, estimate, recording
from relay.authentication import authenticate
from relay.body import HeldBody
from relay.call import Call, HeaderList
from relay.client import Client
from relay.errors import ApiError
from relay.forward import Failure
from relay.limit_errors import limit_error
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
    call.set_clock(services.admission.now_us())
    held = HeldBody(services.bodies, caller.organization_id)
    reading: Reading | None = None
    metered: MeteredRequest | None = None
    try:
        check_head(call, caller)
        await body.read(call, held)
        reading = await services.reader.read(held.content)
        targets = services.routes.routes().targets(reading.model)
        wanted = demand(call, caller, reading, services)
        grant = await services.admission.admit(wanted)
        metered = recording.begin(call, caller, ENDPOINT, services, grant, reading, targets[0])
        await exchange(call, caller, held, reading, targets, metered, services)
    except ApiError as refusal:
        recording.refusal(call, caller, ENDPOINT, services, refusal, reading)
        await refuse(call, refusal, caller)
    except LimitReached as reached:
        error = limit_error(reached, wanted.model)
        recording.refusal(call, caller, ENDPOINT, services, error, reading)
        await refuse(call, error, caller, rate_limit_headers(services.admission.states(wanted)))
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


def demand(call: Call, caller: Caller, reading: Reading, services: Services) -> Demand:
    """What its limits are asked for. A model that we do not know counts in a class that we do."""
    known = catalogue.find(reading.model)
    worst, unbounded = worst_picos(reading.reach, reading.model, call.started_at_us, services.meter.prices.current)
    return Demand(
        organization_id=caller.organization_id,
        workspace_id=caller.workspace_id,
        api_key_id=caller.api_key_id,
        model=known.id if known else reading.model,
        model_class=known.rate_class if known else FALLBACK_CLASS,
        input_tokens=estimate.input_tokens(reading),
        at_us=call.started_at_us,
        worst_picos=worst,
        has_unbounded=unbounded,
    )


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
            settle_failure(metered, outcome, client)
            await refuse(call, outcome.reply, caller, metered.rate_headers())
            return
        answer, target = outcome
        client.may_drain = target.drains
        headers = [*identity(call, caller), *marks(target), *metered.rate_headers()]
        await Passage(call, client, answer, metered, headers).run()
    except asyncio.CancelledError:
        if not client.gave_up:
            settle(metered, "interrupted", status=503, reason="shutdown", is_estimated=True)
            raise
        settle(metered, "client_closed", status=499, is_estimated=True)
    finally:
        client.unwatch()
        # Counts only when nothing above has settled.
        settle(metered, "interrupted", status=500, reason="internal", is_estimated=True)


def settle(metered: MeteredRequest, outcome: str, *, status: int, reason: str = "", is_estimated: bool = False) -> None:
    metered.settle(outcome=outcome, status=status, reason=reason, is_estimated=is_estimated)


def settle_failure(metered: MeteredRequest, failure: Failure, client: Client) -> None:
    metered.settle(
        outcome="client_closed" if client.is_gone else "upstream_error",
        status=failure.status,
        reason=failure.reason,
        error_type=failure.error_type,
        is_estimated=failure.is_unknown,
    )


def marks(target: Target) -> HeaderList:
    return [(b"x-tollgate-simulated", b"true")] if target.adapter.is_simulated else []
