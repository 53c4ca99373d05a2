"""One metered request, from its head to its END. `serve` tells the story; every step has a file of its own."""

import asyncio

from apikeys.caller import Caller
from metering import catalogue
from metering.admission import Demand, Grant
from metering.attempt import MeteredRequest
from metering.journal import JournalError
from metering.limits.headers import rate_limit_headers
from metering.limits.refusal import LimitReached
from metering.limits.tiers import FALLBACK_CLASS
from metering.limits.worst import worst_picos
from metering.records import Begin, Refused
from relay import body, errors, estimate
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
    try:
        check_head(call, caller)
        await body.read(call, held)
        reading = await services.reader.read(held.content)
        targets = services.routes.routes().targets(reading.model)
        wanted = demand(call, caller, reading, services)
        grant = await services.admission.admit(wanted)
        metered = begin(call, caller, reading, targets[0], grant, services)
        await exchange(call, caller, held, reading, targets, metered, services)
    except ApiError as refusal:
        note_refusal(call, caller, reading, refusal, services)
        await refuse(call, refusal, caller)
    except LimitReached as reached:
        error = limit_error(reached, wanted.model)
        note_refusal(call, caller, reading, error, services)
        await refuse(call, error, caller, rate_limit_headers(services.admission.states(wanted)))
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


def begin(
    call: Call, caller: Caller, reading: Reading, target: Target, grant: Grant, services: Services
) -> MeteredRequest:
    """On disk before a byte goes upstream. A full spool refuses what it could not account for."""
    retries = call.text(b"x-stainless-retry-count")
    record = Begin(
        request_id=call.request_id,
        started_at_us=call.started_at_us,
        organization_id=caller.organization_id,
        workspace_id=caller.workspace_id,
        api_key_id=caller.api_key_id,
        endpoint=ENDPOINT,
        requested_model=reading.model,
        model=resolved(reading.model),
        upstream=target.name,
        is_stream=reading.is_stream,
        is_simulated=target.adapter.is_simulated,
        input_estimate=estimate.input_tokens(reading),
        scopes=grant.money.names,
        holder=services.admission.holder,
        client_retry_count=min(int(retries), 999) if retries.isascii() and retries.isdigit() else 0,
        user_agent=call.text(b"user-agent"),
    )
    try:
        return services.meter.begin(record, grant, call.now_us)
    except JournalError as error:
        raise errors.overloaded("journal_full", retry_after=5) from error


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
            settle(metered, "interrupted", status=503, reason="shutdown")
            raise
        settle(metered, "client_closed", status=499, is_estimated=True)
    finally:
        client.unwatch()
        settle(metered, "interrupted", status=500, reason="internal")  # counts only when nothing above has settled


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


def note_refusal(call: Call, caller: Caller, reading: Reading | None, refusal: ApiError, services: Services) -> None:
    """A name that we do not know stays out of `model`, a dimension of the rollups: anybody can invent names."""
    known = catalogue.find(reading.model) if reading else None
    services.meter.journal.refused(
        Refused(
            request_id=call.request_id,
            at_us=call.started_at_us,
            organization_id=caller.organization_id,
            workspace_id=caller.workspace_id,
            api_key_id=caller.api_key_id,
            endpoint=ENDPOINT,
            requested_model=reading.model if reading else "",
            model=known.id if known else "",
            reason=refusal.reason,
            status=refusal.status,
            error_type=refusal.type,
            is_stream=reading.is_stream if reading else False,
            user_agent=call.text(b"user-agent"),
        )
    )


def marks(target: Target) -> HeaderList:
    return [(b"x-tollgate-simulated", b"true")] if target.adapter.is_simulated else []


def resolved(model: str) -> str:
    """The catalogue's id for an alias; other names stand for themselves."""
    known = catalogue.find(model)
    return known.id if known else model
