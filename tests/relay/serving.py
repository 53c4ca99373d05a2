"""A relay on a real socket of this process, in front of upstreams that a test scripts; keys need no database."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvicorn

from apikeys.authentication import Authenticator
from apikeys.caller import Caller
from metering.admission import Admission, Demand, Grant
from metering.attempt import Meter
from metering.journal import Journal
from metering.limits.scopes import BucketState
from metering.limits.share import Share
from metering.price_list import SHIPPED
from metering.pricing import Charge, PriceTable
from metering.records import Begin, End, Record, Refused
from relay.alarms import AccountAlarms
from relay.asgi import Relay
from relay.body import Bodies
from relay.client import Drains
from relay.forward import Forwarder
from relay.reading_process import BodyReader
from relay.routing import Routes, RouteTable, Target
from relay.services import Services
from relay.transport import Timeouts, Transport
from relay.upstreams.anthropic import Anthropic
from tests.metering.reading import all_records

ORGANIZATION = "0b6a7c1e-5a64-4f0c-8a44-0d6a7a1c2b3d"
CALLER = Caller(ORGANIZATION, "wrkspc_01acme", True, "apikey_01acme", "api", None)
MODEL = "claude-sonnet-4-6"
BODY = b'{"model":"%s","max_tokens":64,"messages":[{"role":"user","content":"Hello"}]}' % MODEL.encode()
STREAM_BODY = BODY.replace(b'"max_tokens"', b'"stream":true,"max_tokens"')


class OneKey:
    """Knows `key`, and who it belongs to."""

    def cached(self, secret: str, now: float) -> Caller | None:  # noqa: ARG002
        return CALLER if secret == "key" else None

    async def authenticate(self, secret: str, address: str) -> Caller:
        from apikeys.errors import InvalidKey

        raise InvalidKey("unknown")


class CountedAdmission(Admission):
    """Admits everything, without a centre, and counts both ends."""

    def __init__(self) -> None:
        self.admitted = 0
        self.settled = 0
        self.running: set[Grant] = set()
        self._share = Share(ORGANIZATION)
        self._share.is_stale = False
        self._ahead_us = time.time_ns() // 1000 - time.monotonic_ns() // 1000

    def now_us(self) -> int:
        return time.monotonic_ns() // 1000 + self._ahead_us

    @property
    def holder(self) -> str:
        return "nobody"

    async def admit(self, demand: Demand) -> Grant:
        grant = self._share.take(demand, time.monotonic())
        assert grant is not None
        self.admitted += 1
        self.running.add(grant)
        return grant

    def confirm(self, grant: Grant) -> None:
        assert grant in self.running

    def states(self, demand: Demand) -> tuple[BucketState, ...]:
        return self._share.states(demand, self.now_us())

    def started(self, grant: Grant, input_tokens: int) -> None:
        assert grant in self.running
        self._share.started(grant, input_tokens, time.monotonic())

    def produced(self, grant: Grant, output_tokens: int) -> None:
        assert grant in self.running
        self._share.produced(grant, output_tokens, time.monotonic())

    def settle(self, grant: Grant, charge: Charge) -> None:
        self._share.settle(grant, charge.cost_picos)
        self._ended(grant)

    def cancel(self, grant: Grant) -> None:
        self._share.cancel(grant)
        self._ended(grant)

    def _ended(self, grant: Grant) -> None:
        """Fails when one ends twice."""
        self.running.remove(grant)
        self.settled += 1


@dataclass
class Prices:
    current: PriceTable = field(default_factory=lambda: PriceTable(SHIPPED))


@dataclass
class Fixed:
    """Routes that no database knows."""

    current: Routes

    def routes(self) -> Routes:
        return self.current


class QuietAlarms(AccountAlarms):
    def raised(self, target: Target, message: str) -> None:
        pass

    def cleared(self, target: Target) -> None:
        pass


@dataclass
class Served:
    port: int
    root: Path
    relay: Relay
    services: Services
    transport: Transport
    server: uvicorn.Server
    admission: CountedAdmission

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    def records(self) -> list[Record]:
        """What its journal holds so far."""
        return all_records(self.root)

    def ends(self) -> list[End]:
        """The final ENDs, after checking that every BEGIN has exactly one."""
        records = self.records()
        begun = [record.request_id for record in records if isinstance(record, Begin)]
        ended = [record for record in records if isinstance(record, End) and record.is_final]
        assert sorted(begun) == sorted(end.request_id for end in ended)
        return ended

    def refusals(self) -> list[Refused]:
        return [record for record in self.records() if isinstance(record, Refused)]

    async def settled(self, seconds: float = 5.0) -> list[End]:
        """Wait until nothing runs, and check that everything is given back; the final ENDs."""
        for _ in range(int(seconds * 100)):
            if not self.relay._running:
                break
            await asyncio.sleep(0.01)
        assert not self.relay._running
        assert self.services.meter.journal.running == 0
        assert self.services.bodies._held == 0
        assert not self.services.bodies._held_by
        assert self.services.drains._running == 0
        assert self.admission.admitted == self.admission.settled
        assert not self.admission.running
        assert not self.admission._share.slots.running
        assert not self.transport._deadlines._busy
        return self.ends()


@asynccontextmanager
async def serving(
    root: Path, *base_urls: str, timeouts: Timeouts | None = None, http: Any = "httptools", **changes: Any
) -> AsyncIterator[Served]:
    """`changes` replace services by name."""
    targets = [
        Target(number, f"up-{number}", Anthropic(url, "credential"), ("*",), has_credential=True, drains=True)
        for number, url in enumerate(base_urls)
    ]
    timeouts = timeouts or Timeouts(connect=2, first_byte=5, idle=5)
    journal, transport, admission = Journal(root, segment_bytes=1 << 20), Transport(), CountedAdmission()
    services = Services(
        authenticator=cast(Authenticator, OneKey()),
        admission=admission,
        meter=Meter(journal, Prices(), admission),
        routes=cast(RouteTable, Fixed(Routes(targets))),
        forwarder=Forwarder(transport, QuietAlarms(), timeouts, timeouts),
        reader=BodyReader(),
        bodies=Bodies(),
        drains=Drains(),
    )
    for name, value in changes.items():
        setattr(services, name, value)
    relay = Relay(services)
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    configuration = uvicorn.Config(
        relay, http=http, ws="none", lifespan="off", log_level="critical", access_log=False, proxy_headers=False
    )
    server = uvicorn.Server(configuration)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve([listening]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield Served(listening.getsockname()[1], root, relay, services, transport, server, admission)
    finally:
        server.should_exit = server.force_exit = True
        await asyncio.wait([task], timeout=5)
        await transport.aclose()
        services.reader.close()
        journal.close()


def head(body: bytes, *lines: bytes, path: bytes = b"/v1/messages", method: bytes = b"POST") -> bytes:
    """A request with a good key and the body's length."""
    names = b"".join(line + b"\r\n" for line in lines)
    return (
        b"%b %b HTTP/1.1\r\nhost: tollgate.test\r\nx-api-key: key\r\nanthropic-version: 2023-06-01\r\n"
        b"content-length: %d\r\n%b\r\n" % (method, path, len(body), names)
    ) + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """(status, head, body) of one answer, chunked or with a length."""
    start = await reader.readuntil(b"\r\n\r\n")
    status = int(start.split(b" ")[1])
    lowered = start.lower()
    if b"transfer-encoding: chunked" in lowered:
        body = b""
        while True:
            size = int((await reader.readuntil(b"\r\n")).strip(), 16)
            piece = await reader.readexactly(size)
            await reader.readexactly(2)
            if not size:
                return status, start, body
            body += piece
    size = next((int(line[15:]) for line in lowered.split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return status, start, await reader.readexactly(size)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
