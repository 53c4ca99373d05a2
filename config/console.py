"""Django inside a web worker: all of its views on one thread that gives way to the relay."""

import os
import threading

from asgiref.sync import SyncToAsync
from django.core.handlers.asgi import ASGIHandler

from relay.call import Receive, Scope, Send

NICENESS = 10
"""Where a worker's threads share one core, the relay's loop comes first. Linux knows niceness by thread."""


class OneThreadHandler(ASGIHandler):
    """Django's handler makes a thread for each request; without that context all share the process's one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        await self.handle(scope, receive, send)  # type: ignore[arg-type]


def give_way() -> None:
    """Start the thread of all views, behind the relay's own. To be called once, when a worker starts."""
    SyncToAsync.single_thread_executor.submit(
        lambda: os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    ).result()
