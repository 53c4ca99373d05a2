"""One web worker: `python -m config.worker --fd N`, on the socket that the supervisor bound.

SIGTERM, or the end of the supervisor, stops it: no more connections, what runs may end within `DRAIN_SECONDS`.
A second SIGTERM skips the waiting.
"""

import argparse
import asyncio
import gc
import os
import socket
import sys

import django
import uvicorn

from config.http_protocol import Protocol
from config.installation import demand_own_database
from config.parent import on_parents_end
from config.postgres.use import database_held

DRAIN_SECONDS = 30.0
CLOSE_SECONDS = 5.0
"""After the drain: time for last bytes to reach their clients."""
SWITCH_SECONDS = 0.00005
"""The longest that the relay's loop waits for a page that is being rendered, several times for one request."""


class Worker(uvicorn.Server):
    """uvicorn, with our stop: the application learns of the drain while its answers still run."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _settle_garbage()
        on_parents_end(self._stop)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        from config import asgi

        self._drain = asyncio.create_task(asgi.drain(0 if self.force_exit else DRAIN_SECONDS))
        await super().shutdown(sockets)
        self._drain.cancel()

    def handle_exit(self, sig: int, frame: object) -> None:
        """A signal counts as an order of the supervisor: no death by the same signal afterwards, as uvicorn would."""
        if self.should_exit:
            asyncio.get_running_loop().call_soon_threadsafe(self._hurry)
        self._stop()

    def _stop(self) -> None:
        self.should_exit = True

    def _hurry(self) -> None:
        from config import asgi

        loop = asyncio.get_running_loop()
        self._hurried = loop.create_task(asgi.drain(0))
        loop.call_later(CLOSE_SECONDS, setattr, self, "force_exit", True)


def _settle_garbage() -> None:
    """What is loaded by now stays: the collector need not look at it again, nor as often (5 % of a request's CPU)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket to inherit")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    os.environ["TOLLGATE_PROCESS"] = "worker"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup(set_prefix=False)
    from django.conf import settings

    with database_held(settings.DATA_DIR), socket.socket(fileno=options.fd) as listening:
        demand_own_database()
        Worker(configuration()).run([listening])


def configuration() -> uvicorn.Config:
    return uvicorn.Config(
        "config.asgi:application",
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than the 60 s of common balancers, which must be the ones to close
        timeout_graceful_shutdown=int(DRAIN_SECONDS + CLOSE_SECONDS),
        backlog=2048,
    )


if __name__ == "__main__":
    main()
