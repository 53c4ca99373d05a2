"""The application of one web worker: the relay beside Django, mounted by Channels."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from config.console import OneThreadHandler, give_way  # noqa: E402
from config.health import Health, Receive, Scope, Send  # noqa: E402
from config.proxies import Proxies  # noqa: E402
from config.serving import Serving  # noqa: E402
from relay.asgi import hello, nothing_here  # noqa: E402

console = OneThreadHandler()
_serving: list[Serving] = []
"""At most one: made when the server starts, because it belongs to the server's event loop."""
health = Health(settings.JOURNAL_DIR, journal_trouble=lambda: _serving[0].journal.trouble if _serving else "")


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Started and stopped with the server. Ends after `lifespan.shutdown`."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            give_way()
            _serving.append(Serving())
            await _serving[0].start()
        else:
            await _serving.pop().stop()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def drain(seconds: float) -> None:
    """The server takes no more connections: let what runs come to its end within `seconds`."""
    health.is_draining = True
    await _serving[0].relay.drain(seconds)


async def relay(scope: Scope, receive: Receive, send: Send) -> None:
    await _serving[0].relay(scope, receive, send)


async def root(scope: Scope, receive: Receive, send: Send) -> None:
    """`HEAD /` asks whether an API is here; everything else wants the console."""
    await (hello if scope["method"] == "HEAD" else console)(scope, receive, send)


def mount(pattern: str, application: Any) -> Any:
    """`re_path` for an ASGI application, which Django's types do not know."""
    return re_path(pattern, application)


def routes(serve: str) -> list[Any]:
    """`relay`, `console` or `all`: what a worker leaves to others is a 404 here."""
    found = [mount(r"^healthz$", health.healthz), mount(r"^readyz$", health.readyz)]
    if serve != "console":
        found += [mount(r"^v1(?:$|/(?!organizations/|compliance/))", relay), mount(r"^api/hello$", hello)]
    if serve == "relay":
        return [*found, mount(r"^$", hello), mount(r"", nothing_here)]
    return [*found, mount(r"^$", root), mount(r"", console)]


application: Any = Proxies(
    ProtocolTypeRouter({"lifespan": lifespan, "http": URLRouter(routes(os.environ.get("TOLLGATE_SERVE", "all")))}),
    settings.TRUSTED_PROXIES,
)
