"""Writing down that a request runs, or why it may not: every authenticated one is counted, on each endpoint."""

import re

from apikeys.caller import Caller
from metering import catalogue
from metering.admission import Grant
from metering.attempt import MeteredRequest
from metering.journal import JournalError
from metering.records import Begin, Refused
from relay import errors, estimate
from relay.call import Call
from relay.errors import ApiError
from relay.reading import Reading
from relay.routing import Target
from relay.services import Services

_SMALL_NUMBER = re.compile("[0-9]{1,3}")


def begin(
    call: Call,
    caller: Caller,
    endpoint: str,
    services: Services,
    grant: Grant | None = None,
    reading: Reading | None = None,
    target: Target | None = None,
) -> MeteredRequest:
    """On disk before a byte goes upstream. Raises 529 when it cannot be: what is not written down is not done.

    A request that we answer ourselves has no grant, no reading and no target.
    """
    retries = call.text(b"x-stainless-retry-count")
    record = Begin(
        request_id=call.request_id,
        started_at_us=call.started_at_us,
        organization_id=caller.organization_id,
        workspace_id=caller.workspace_id,
        api_key_id=caller.api_key_id,
        endpoint=endpoint,
        requested_model=reading.model if reading else "",
        model=model_id(reading.model) if reading else "",
        upstream=target.name if target else "",
        is_stream=reading.is_stream if reading else False,
        is_simulated=target.adapter.is_simulated if target else False,
        input_estimate=estimate.input_tokens(reading) if reading else 0,
        scopes=grant.money.names if grant else [],
        holder=services.admission.holder if grant else None,
        client_retry_count=int(retries) if _SMALL_NUMBER.fullmatch(retries) else 0,
        user_agent=call.text(b"user-agent"),
    )
    try:
        return services.meter.begin(record, grant, call.now_us)
    except JournalError as error:
        raise errors.overloaded("journal_full", retry_after=5) from error


def refusal(
    call: Call, caller: Caller, endpoint: str, services: Services, refused: ApiError, reading: Reading | None = None
) -> None:
    """A name that we do not know stays out of `model`, a dimension of the rollups: anybody can invent names."""
    known = catalogue.find(reading.model) if reading else None
    services.meter.journal.refused(
        Refused(
            request_id=call.request_id,
            at_us=call.started_at_us,
            organization_id=caller.organization_id,
            workspace_id=caller.workspace_id,
            api_key_id=caller.api_key_id,
            endpoint=endpoint,
            requested_model=reading.model if reading else "",
            model=known.id if known else "",
            reason=refused.reason,
            status=refused.status,
            error_type=refused.type,
            is_stream=reading.is_stream if reading else False,
            user_agent=call.text(b"user-agent"),
        )
    )


def model_id(name: str) -> str:
    """The catalogue's id for an alias; other names stand for themselves."""
    known = catalogue.find(name)
    return known.id if known else name
