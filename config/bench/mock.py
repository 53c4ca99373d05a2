"""The mock upstream: answers Messages requests as fast as Python can. `python -m config.bench.mock --port P`."""

import argparse
import asyncio
import contextlib
import os
import sys
import time
from typing import cast

import httptools
import uvloop

from config.bench import answers, loads


class Conversation(asyncio.Protocol):
    """One kept-alive connection: requests one after another, JSON or SSE answers."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_body(self, data: bytes) -> None:
        self.body = self.body + data if self.body else data

    def on_message_complete(self) -> None:
        url, body = self.url, self.body
        self.url = self.body = b""
        if not url.startswith(b"/v1/messages"):
            self.transport.write(answers.NOT_FOUND)
            return
        model, events, interval_ms = loads.asked(body)
        if not events:
            self.transport.write(answers.message(model))
        elif not interval_ms:
            self.transport.write(answers.stream(model, events))
        else:
            PacedStream(self.transport, model, events, interval_ms / 1000).start()


class PacedStream:
    """One answer whose events leave on a clock of their own, each with one write and the nanosecond it left at."""

    __slots__ = ("events", "index", "interval", "loop", "model", "started", "transport")

    def __init__(self, transport: asyncio.Transport, model: bytes, events: int, interval_seconds: float) -> None:
        self.transport = transport
        self.model = model
        self.events = events
        self.interval = interval_seconds
        self.index = 0
        self.loop = asyncio.get_running_loop()
        self.started = self.loop.time()

    def start(self) -> None:
        self.transport.write(answers.STREAM_HEAD)
        self.step()

    def step(self) -> None:
        """Write one event and plan the next; the schedule is absolute, so that a late event delays no other."""
        if self.transport.is_closing():
            return
        self.transport.write(answers.event(self.model, self.index, self.events, time.monotonic_ns()))
        self.index += 1
        if self.index == self.events:
            self.transport.write(answers.LAST_CHUNK)
        else:
            self.loop.call_at(self.started + self.index * self.interval, self.step)


async def serve(port: int, *, ends_with_stdin: bool) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Conversation, "127.0.0.1", port, backlog=2048)
    print(f"mock upstream on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    if ends_with_stdin:
        loop.add_reader(sys.stdin.fileno(), loop.stop)
    await server.serve_forever()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--core", type=int, help="the only processor core to run on")
    parser.add_argument("--end-with-stdin", action="store_true", help="stop when the pipe on standard input closes")
    args = parser.parse_args()
    if args.core is not None:
        os.sched_setaffinity(0, {args.core})
    with contextlib.suppress(KeyboardInterrupt, RuntimeError):  # RuntimeError: the loop was stopped
        uvloop.run(serve(args.port, ends_with_stdin=args.end_with_stdin))
    return 0


if __name__ == "__main__":
    sys.exit(main())
