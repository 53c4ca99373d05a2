"""`python -m relay.upstreams.simulator --port P [--host H] [--ledger FILE] [--always SCRIPT]`.

Prints its address once it listens. Ends on SIGINT and SIGTERM, and when the pipe in TOLLGATE_PARENT_FD is closed by
whoever started it.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from relay.upstreams.simulator.app import Simulator
from relay.upstreams.simulator.ledger import Ledger
from relay.upstreams.simulator.protocol import Protocol
from relay.upstreams.simulator.refusals import Refusal
from relay.upstreams.simulator.script import Script, parse

KEEP_ALIVE_SECONDS = 300
LEAVING_SECONDS = 3
BACKLOG = 2_048


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end; 1 when the address is taken."""
    options = _options(arguments)
    try:
        listener = _listener(options.host, options.port)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        print(f"simulator: cannot listen on {options.host}:{options.port}: {why}", file=sys.stderr)
        return 1
    ledger = Ledger(options.ledger)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again once it has left in good order
    print(f"simulator listening on http://{_address(listener)}", flush=True)
    try:
        asyncio.Runner(loop_factory=_new_loop).run(_serve(Simulator(ledger, always=options.always), listener))
    except KeyboardInterrupt:
        pass
    finally:
        ledger.close()
    return 0


async def _serve(app: Simulator, listener: socket.socket) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            log_level="warning",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=LEAVING_SECONDS,
        )
    )
    if parent := os.environ.get("TOLLGATE_PARENT_FD"):
        _end_with_parent(int(parent), server)
    await server.serve(sockets=[listener])


def _end_with_parent(descriptor: int, server: uvicorn.Server) -> None:
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not os.read(descriptor, 1):
            loop.remove_reader(descriptor)
            server.should_exit = True

    loop.add_reader(descriptor, read)


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description="A stand-in for the Claude API, offline.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one and prints it")
    parser.add_argument("--ledger", type=Path, help="append every request to this file")
    parser.add_argument("--always", type=_script, default=Script(), help="a script for every request")
    return parser.parse_args(arguments)


def _script(text: str) -> Script:
    try:
        return parse(text)
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(refusal.message) from refusal


if __name__ == "__main__":
    sys.exit(main())
