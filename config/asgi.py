"""The application of one web worker: health first, then Django."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from config.console import OneThreadHandler  # noqa: E402
from config.health import Health, Receive, Scope, Send  # noqa: E402

health = Health(settings.JOURNAL_DIR)


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Started and stopped with the server. Ends after `lifespan.shutdown`."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def drain(seconds: float) -> None:
    """The server takes no more connections: let what runs come to its end within `seconds`."""
    health.is_draining = True


application: Any = ProtocolTypeRouter(
    {
        "lifespan": lifespan,
        "http": URLRouter(
            [
                re_path(r"^healthz$", health.healthz),
                re_path(r"^readyz$", health.readyz),
                re_path(r"", OneThreadHandler()),
            ]
        ),
    }
)
