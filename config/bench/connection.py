"""One kept-alive connection of the load generator: writes a prebuilt request, reads the answer, takes the times."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

import httptools

from config.bench.answers import STAMP_DIGITS, STAMP_MARK

EVENT_MARK = b"event: "
LAST_EVENT = b"message_stop"


class Connection(asyncio.Protocol):
    """`done(connection, failure)` is called at the end of each answer; a failure is a short text, or None."""

    __slots__ = (
        "busy",
        "delays",
        "done",
        "due",
        "events",
        "first_byte",
        "lost",
        "parser",
        "request",
        "saw_end",
        "streams",
        "transport",
    )

    def __init__(
        self,
        request: bytes,
        *,
        streams: bool,
        done: Callable[["Connection", str | None], None],
        lost: Callable[["Connection"], None],
    ) -> None:
        self.request = request
        self.streams = streams
        self.done = done
        self.lost = lost
        self.busy = False
        self.due = self.first_byte = 0.0
        self.events = 0
        self.saw_end = False
        self.delays: list[int] | None = None  # nanoseconds each text event was under way; None: not asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.parser = httptools.HttpResponseParser(self)

    def send(self, due: float) -> None:
        """Send one request; its latency counts from `due`, in seconds of `time.perf_counter`."""
        self.busy = True
        self.due = due
        self.first_byte = 0.0
        self.saw_end = False
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.delays is not None:
            self._take_delays(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as problem:
            self._fail(f"not HTTP: {problem}")

    def on_body(self, data: bytes) -> None:
        if not self.first_byte:
            self.first_byte = time.perf_counter()
        if self.streams:
            self.events += data.count(EVENT_MARK)
            if LAST_EVENT in data:
                self.saw_end = True

    def on_message_complete(self) -> None:
        self.busy = False
        status = self.parser.get_status_code()
        failure = None
        if status != 200:
            failure = f"status {status}"
        elif self.streams and not self.saw_end:
            failure = "a stream without its last event"
        if not self.parser.should_keep_alive():
            self.transport.close()
        self.done(self, failure)

    def connection_lost(self, problem: Exception | None) -> None:
        if self.busy:
            self._fail("connection lost")
        self.lost(self)

    def _take_delays(self, data: bytes) -> None:
        now = time.monotonic_ns()
        at = data.find(STAMP_MARK)
        while at >= 0:
            start = at + len(STAMP_MARK)
            stamp = data[start : start + STAMP_DIGITS]
            if len(stamp) == STAMP_DIGITS and self.delays is not None:
                self.delays.append(now - int(stamp))
            at = data.find(STAMP_MARK, start)

    def _fail(self, failure: str) -> None:
        self.busy = False
        self.transport.close()
        self.done(self, failure)
