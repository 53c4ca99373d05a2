"""Two tenants, and workers' authenticators beside them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from psycopg.conninfo import make_conninfo

from apikeys import actions, database
from apikeys.audit import Actor
from apikeys.authentication import Authenticator
from apikeys.models import ApiKey, Organization
from apikeys.notifications import Listener
from tests.apikeys.proxy import PostgresProxy

OPERATOR = Actor.command_line()


@dataclass
class Tenant:
    organization: Organization
    key: ApiKey
    secret: str


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def globex(transactional_db: None) -> Tenant:
    return make_tenant("globex")


def make_tenant(name: str) -> Tenant:
    organization = actions.create_organization(name, actor=OPERATOR)
    key, secret = actions.create_key(organization=organization, name=f"{name}'s key", actor=OPERATOR)
    return Tenant(organization, key, secret)


async def in_django(do: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Run something that uses the ORM in a thread of its own, as Django's views do beside a worker's loop."""

    def with_connection() -> Any:
        from django.db import connection

        try:
            return do(*arguments, **named)
        finally:
            connection.close()

    return await asyncio.to_thread(with_connection)


@dataclass
class Clock:
    """A clock that tests move. `step` is what has been added to the real one."""

    real: Callable[[], float]
    step: float = field(default=0.0)

    def __call__(self) -> float:
        return self.real() + self.step


@asynccontextmanager
async def worker(**clocks: Any) -> AsyncIterator[Authenticator]:
    """An authenticator with its listener, as one web worker runs them; ready when it hears notifications."""
    listener = Listener()
    authenticator = Authenticator(listener, **clocks)
    is_hearing = asyncio.Event()
    listener.on_restored(is_hearing.set)
    await listener.start()
    await authenticator.start()
    try:
        await asyncio.wait_for(is_hearing.wait(), 10)
        yield authenticator
    finally:
        await authenticator.stop()
        await listener.stop()


@pytest.fixture
async def workers(transactional_db: None) -> AsyncIterator[Callable[..., Awaitable[Authenticator]]]:
    """A factory of workers, which all stop when the test ends."""
    async with AsyncExitStack() as stack:

        async def start(**clocks: Any) -> Authenticator:
            return await stack.enter_async_context(worker(**clocks))

        yield start


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for something to become true, and fail if it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def proxy(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostgresProxy]:
    """What is connected from here on without the ORM goes through this proxy."""
    with tempfile.TemporaryDirectory(prefix="toll-") as folder:
        proxy = PostgresProxy(Path(folder), Path(settings.DATABASES["default"]["HOST"]))
        direct = database.address()
        monkeypatch.setattr(database, "address", lambda: make_conninfo(direct, host=folder))
        await proxy.open()
        yield proxy
        await proxy.release()
        await proxy.close()
