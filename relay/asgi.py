"""The relay as an ASGI application: everything under `/v1` that is not the Admin API."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from relay import errors, pipeline
from relay.call import Call, Receive, Scope, Send
from relay.endpoints import models
from relay.errors import ApiError
from relay.refusing import refuse
from relay.services import Services

logger = logging.getLogger("tollgate.relay")

Endpoint = Callable[[Call, Services], Awaitable[None]]

_ENDPOINTS: dict[str, dict[str, Endpoint]] = {
    "/v1/messages": {"POST": pipeline.serve},
    "/v1/models": {"GET": models.list_models},
}
_MODEL = "/v1/models/"


class Relay:
    """Finds the endpoint, runs it, and renders what it raises. Knows nothing of sockets or settings."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._running: set[asyncio.Task[object]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        call = Call(scope, receive, send, task)
        self._running.add(task)
        try:
            await self._run(call)
        except ApiError as refusal:
            await refuse(call, refusal, None)
        except asyncio.CancelledError:
            await refuse(call, errors.shutting_down(), None)
        except Exception:
            logger.exception("request %s failed", call.request_id)
            await refuse(call, errors.internal(), None)
        finally:
            self._running.discard(task)

    async def drain(self, seconds: float) -> None:
        """Let what runs come to its end within `seconds`; then end it: streams with an `event: error`, rows as
        `interrupted`.
        """
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        for task in tuple(self._running):
            task.cancel()

    async def _run(self, call: Call) -> None:
        methods = _ENDPOINTS.get(call.path)
        if methods is not None:
            endpoint = methods.get(call.method)
            if endpoint is None:
                raise errors.method_wrong(", ".join(methods))
            await endpoint(call, self._services)
        elif call.path.startswith(_MODEL) and "/" not in call.path[len(_MODEL) :] and call.path != _MODEL:
            if call.method != "GET":
                raise errors.method_wrong("GET")
            await models.get_model(call, self._services, call.path[len(_MODEL) :])
        else:
            raise errors.path_unknown()


async def hello(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """`HEAD /` and `/api/hello`: Claude Code asks whether somebody is there before it sends anything."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    """What this process does not serve: the API's own 404."""
    task = asyncio.current_task()
    assert task is not None
    await refuse(Call(scope, receive, send, task), errors.path_unknown(), None)
