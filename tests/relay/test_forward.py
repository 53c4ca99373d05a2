"""Attempts: each is recorded, another upstream may try while nothing was answered, and the last word is translated."""

import asyncio
from dataclasses import dataclass, field

from metering.attempt import MeteredRequest
from relay.alarms import AccountAlarms
from relay.errors import ApiError
from relay.forward import Failure, Forwarder
from relay.routing import Target
from relay.transport import Answer, Timeouts, Transport
from relay.upstreams.anthropic import Anthropic
from relay.upstreams.base import Outbound
from tests.relay.scripted import Script, answer, read_request, upstream

OUTBOUND = Outbound([(b"anthropic-version", b"2023-06-01")], b"{}", request_id="req_1", model="m", is_stream=False)
TIMEOUTS = Timeouts(connect=2, first_byte=0.4, idle=1)
DOWN = "http://127.0.0.1:1"


class RecordedAttempts(MeteredRequest):
    """The attempts of one request, without a journal behind them."""

    def __init__(self) -> None:
        self.failed: list[tuple[str, int]] = []
        self.upstream_request_id = ""

    def next_attempt(self, *, upstream: str, status: int, reason: str, error_type: str) -> None:
        self.failed.append((reason, status))


@dataclass
class Alarms(AccountAlarms):
    names: list[str] = field(default_factory=list)

    def raised(self, target: Target, message: str) -> None:
        self.names.append(f"{target.name}: {message}")

    def cleared(self, target: Target) -> None:
        pass


def target(id_: int, base_url: str) -> Target:
    return Target(id_, f"upstream-{id_}", Anthropic(base_url, "key"), ("*",), has_credential=True, drains=True)


def replying(reply: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(reply)

    return script


async def send(*base_urls: str, alarms: Alarms | None = None) -> tuple[object, list[tuple[str, int]]]:
    metered = RecordedAttempts()
    forwarder = Forwarder(Transport(), alarms or Alarms(), TIMEOUTS, TIMEOUTS)
    targets = tuple(target(number, url) for number, url in enumerate(base_urls))
    return await forwarder.send(OUTBOUND, targets, metered), metered.failed


async def test_a_dead_upstream_is_passed_over() -> None:
    async with upstream(replying(answer(b"ok"))) as good:
        outcome, failed = await send(DOWN, good)

    assert isinstance(outcome, tuple)
    assert outcome[1].name == "upstream-1"
    assert failed == [("connect_failed", 503)]


async def test_when_all_are_down_the_client_may_try_again() -> None:
    outcome, failed = await send(DOWN, DOWN)

    assert isinstance(outcome, Failure)
    assert isinstance(outcome.reply, ApiError)
    assert (outcome.reply.status, outcome.reply.type, outcome.reply.retry_after) == (503, "api_error", 1)
    assert len(failed) == 1


async def test_an_overloaded_upstream_hands_over_and_a_tenants_mistake_does_not() -> None:
    async with (
        upstream(replying(answer(b"{}", status=b"529 Overloaded"))) as busy,
        upstream(replying(answer(b'{"error":{"type":"invalid_request_error"}}', status=b"400 Bad"))) as strict,
        upstream(replying(answer(b"ok"))) as good,
    ):
        handed_over, _ = await send(busy, good)
        refused, failed = await send(strict, good)

    assert isinstance(handed_over, tuple)
    assert isinstance(refused, Failure)
    assert (refused.status, failed) == (400, [])


async def test_a_request_that_may_still_run_is_not_sent_a_second_time() -> None:
    async with upstream(replying(b"")) as silent, upstream(replying(answer(b"ok"))) as good:
        outcome, failed = await send(silent, good)

    assert isinstance(outcome, Failure)
    assert (outcome.status, outcome.error_type, outcome.is_unknown, failed) == (504, "timeout_error", True, [])


async def test_a_refused_account_raises_the_alarm_and_the_next_one_answers() -> None:
    body = b'{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}'
    alarms = Alarms()
    async with upstream(replying(answer(body, status=b"401 No"))) as locked, upstream(replying(answer(b"ok"))) as good:
        outcome, _ = await send(locked, good, alarms=alarms)

    assert isinstance(outcome, tuple)
    assert alarms.names == ["upstream-0: 401 authentication_error: invalid x-api-key"]


async def test_a_stale_connection_gets_one_new_one_and_is_recorded() -> None:
    served = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await read_request(reader)
        served += 1
        writer.write(answer(b"ok"))
        await read_request(reader)

    async with upstream(script) as base_url:
        metered = RecordedAttempts()
        forwarder = Forwarder(Transport(), Alarms(), TIMEOUTS, TIMEOUTS)
        for _ in range(2):
            outcome = await forwarder.send(OUTBOUND, (target(0, base_url),), metered)
            assert isinstance(outcome, tuple)
            got: Answer = outcome[0]
            assert await got.read(10) == b"ok"

    assert served == 2
    assert metered.failed == [("stale_connection", 502)]
