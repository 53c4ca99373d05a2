"""Django inside a web worker: all of its views on one thread, so that pages cannot crowd out the relay."""

from django.core.handlers.asgi import ASGIHandler

from relay.call import Receive, Scope, Send


class OneThreadHandler(ASGIHandler):
    """Django's handler makes a thread for each request; without that context all share the process's one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        await self.handle(scope, receive, send)  # type: ignore[arg-type]
