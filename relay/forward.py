"""Sending a begun request on: to its first choice of upstream, and on to the next while nothing has been answered."""

import logging
from dataclasses import dataclass

import httpx

from metering.attempt import MeteredRequest
from metering.journal import JournalError
from relay import errors
from relay.alarms import AccountAlarms
from relay.errors import ApiError
from relay.routing import Target
from relay.transport import Answer, Timeouts, Transport
from relay.transport_errors import (
    ConnectFailed,
    ConnectTimedOut,
    FirstByteTimedOut,
    PoolClosed,
    StaleConnection,
    TransportError,
)
from relay.upstream_errors import Refusal, translate
from relay.upstreams.base import Outbound

logger = logging.getLogger("tollgate.forward")

MOST_ATTEMPTS = 3
MOST_ERROR_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt has no answer to pass on, and what the client is told if no other attempt has one."""

    status: int
    reason: str
    error_type: str
    reply: Refusal | ApiError
    fails_over: bool
    was_stale: bool = False
    is_unknown: bool = False
    """The request went out and nothing came back: the upstream may have done the work."""


class Forwarder:
    """Sends requests for one process. `stream_timeouts` and `json_timeouts` are settings of the installation."""

    def __init__(
        self,
        transport: Transport,
        alarms: AccountAlarms,
        json_timeouts: Timeouts,
        stream_timeouts: Timeouts,
    ) -> None:
        self._transport = transport
        self._alarms = alarms
        self._json_timeouts = json_timeouts
        self._stream_timeouts = stream_timeouts

    async def send(
        self, outbound: Outbound, targets: tuple[Target, ...], metered: MeteredRequest
    ) -> tuple[Answer, Target] | Failure:
        """The first good answer and who gave it, or the failure of the last attempt. Each attempt is recorded."""
        plan = list(targets[:MOST_ATTEMPTS])
        is_repeat = False
        while True:
            target = plan.pop(0)
            outcome = await self._attempt(outbound, target, metered, on_new_connection=is_repeat)
            if isinstance(outcome, Answer):
                return outcome, target
            if outcome.was_stale and not is_repeat:
                plan.insert(0, target)  # it was closed while it lay in our pool: not this upstream's failure
            is_repeat = outcome.was_stale
            if not plan or not outcome.fails_over:
                return outcome
            try:
                metered.next_attempt(
                    upstream=plan[0].name,
                    status=outcome.status,
                    reason=outcome.reason,
                    error_type=outcome.error_type,
                )
            except JournalError:
                return outcome

    async def _attempt(
        self, outbound: Outbound, target: Target, metered: MeteredRequest, *, on_new_connection: bool
    ) -> Answer | Failure:
        timeouts = self._stream_timeouts if outbound.is_stream else self._json_timeouts
        request = _signed(target.adapter.auth, target.adapter.messages(outbound))
        try:
            answer = await self._transport.send(request, timeouts, on_new_connection=on_new_connection)
            metered.upstream_request_id = _header(answer, b"request-id")
            if 200 <= answer.status < 300:
                self._alarms.cleared(target)
                return answer
            body = await answer.read(MOST_ERROR_BYTES)
        except TransportError as error:
            logger.warning("upstream %s, request %s: %s", target.name, outbound.request_id, error)
            return _unanswered(error)
        return self._refused(answer, body, target, outbound)

    def _refused(self, answer: Answer, body: bytes, target: Target, outbound: Outbound) -> Failure:
        refusal = translate(answer.status, answer.headers, body, outbound.request_id)
        if refusal.blames_account:
            self._alarms.raised(target, refusal.account_message)
        return Failure(answer.status, refusal.reason, refusal.error_type, refusal, refusal.fails_over)


def _unanswered(error: TransportError) -> Failure:
    if isinstance(error, ConnectFailed | ConnectTimedOut | PoolClosed):
        reply = errors.upstream_down()
    elif isinstance(error, FirstByteTimedOut):
        reply = errors.upstream_timed_out()
    else:
        reply = errors.upstream_broken()
    stale = isinstance(error, StaleConnection)
    # A request that timed out may still be running, and be billed: nobody asked for it twice.
    fails_over = not isinstance(error, FirstByteTimedOut)
    return Failure(
        reply.status, error.reason, reply.type, reply, fails_over, was_stale=stale, is_unknown=error.was_sent
    )


def _signed(auth: httpx.Auth, request: httpx.Request) -> httpx.Request:
    return next(auth.auth_flow(request))


def _header(answer: Answer, name: bytes) -> str:
    for key, value in answer.headers:
        if key == name:
            return value.decode("latin-1")[:200]
    return ""
