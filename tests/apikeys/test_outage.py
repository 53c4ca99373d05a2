"""PostgreSQL goes away: what was read lately stands for a minute, then nobody can know. It is never the key's fault."""

import asyncio
import time

import pytest

from apikeys import keys
from apikeys.authentication import STANDING_SECONDS, Authenticator
from apikeys.errors import InvalidKey, KeyStoreUnavailable
from tests.apikeys.conftest import Clock, Tenant, until
from tests.apikeys.proxy import PostgresProxy

HERE = "192.0.2.1"


async def ask(worker: Authenticator, secret: str) -> str:
    """The key's id, however it is found out."""
    caller = worker.cached(secret, time.time()) or await worker.authenticate(secret, HERE)
    return caller.api_key_id


@pytest.fixture
def clock() -> Clock:
    return Clock(time.monotonic)


async def go_away(worker: Authenticator, proxy: PostgresProxy) -> None:
    await proxy.close()
    await until(lambda: not worker._listener.is_listening and worker._session.is_away)


async def test_what_was_read_within_a_minute_stands_and_then_nobody_knows(
    acme: Tenant, proxy: PostgresProxy, workers, clock: Clock
) -> None:
    worker = await workers(clock=clock)
    assert await ask(worker, acme.secret) == acme.key.id
    await go_away(worker, proxy)

    assert worker.cached(acme.secret, time.time()) is None
    assert await ask(worker, acme.secret) == acme.key.id
    clock.step = STANDING_SECONDS - 10
    assert await ask(worker, acme.secret) == acme.key.id
    clock.step = STANDING_SECONDS
    with pytest.raises(KeyStoreUnavailable):
        await ask(worker, acme.secret)


async def test_a_key_not_read_before_cannot_be_known(
    acme: Tenant, globex: Tenant, proxy: PostgresProxy, workers
) -> None:
    worker = await workers()
    assert await ask(worker, acme.secret) == acme.key.id
    await go_away(worker, proxy)

    with pytest.raises(KeyStoreUnavailable):
        await ask(worker, globex.secret)
    with pytest.raises(KeyStoreUnavailable):
        await ask(worker, keys.make_secret("api"))
    with pytest.raises(InvalidKey):
        await ask(worker, "sk-toll-api01-mistyped")


async def test_expiry_needs_no_database(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    wall_clock = Clock(time.time)
    worker = await workers(wall_clock=wall_clock)
    await worker.authenticate(acme.secret, HERE)
    next(iter(worker._entries.values())).expires_at = time.time() + 60
    await go_away(worker, proxy)
    assert await worker.authenticate(acme.secret, HERE)

    wall_clock.step = 60

    with pytest.raises(InvalidKey, match="expired"):
        await worker.authenticate(acme.secret, HERE)


async def test_it_is_asked_again_the_moment_it_is_back(
    acme: Tenant, globex: Tenant, proxy: PostgresProxy, workers, clock: Clock
) -> None:
    worker = await workers(clock=clock)
    assert await ask(worker, acme.secret) == acme.key.id
    await go_away(worker, proxy)
    clock.step = STANDING_SECONDS
    with pytest.raises(KeyStoreUnavailable):
        await ask(worker, acme.secret)

    await proxy.open()
    await until(lambda: not worker._session.is_away, seconds=2)

    assert await ask(worker, acme.secret) == acme.key.id
    assert await ask(worker, globex.secret) == globex.key.id
    await until(lambda: worker._listener.is_listening, seconds=5)
    await until(lambda: worker.cached(acme.secret, time.time()), seconds=5)


async def test_a_restart_in_between_is_not_noticed(acme: Tenant, globex: Tenant, proxy: PostgresProxy, workers) -> None:
    worker = await workers()
    assert await ask(worker, acme.secret) == acme.key.id
    await asyncio.sleep(0.3)  # the connection lies idle

    proxy.cut(b"")

    assert await ask(worker, globex.secret) == globex.key.id
    assert await ask(worker, acme.secret) == acme.key.id


async def test_a_frozen_server_holds_up_one_request_and_not_the_next(
    acme: Tenant, globex: Tenant, proxy: PostgresProxy, workers
) -> None:
    worker = await workers()
    assert await ask(worker, acme.secret) == acme.key.id
    proxy.hold(b"")

    began = time.monotonic()
    with pytest.raises(KeyStoreUnavailable):
        await ask(worker, globex.secret)
    assert time.monotonic() - began < 4
    await until(lambda: worker._session.is_away and not worker._listener.is_listening)

    began = time.monotonic()
    assert await ask(worker, acme.secret) == acme.key.id
    with pytest.raises(KeyStoreUnavailable):
        await ask(worker, globex.secret)
    assert time.monotonic() - began < 0.5
    await proxy.release()
    await until(lambda: not worker._session.is_away, seconds=5)
    assert await ask(worker, globex.secret) == globex.key.id


async def test_a_start_without_a_database_waits_for_it(acme: Tenant, proxy: PostgresProxy) -> None:
    from apikeys.notifications import Listener

    await proxy.close()
    listener = Listener()
    worker = Authenticator(listener)
    await listener.start()
    await worker.start()
    try:
        with pytest.raises(KeyStoreUnavailable):
            await ask(worker, acme.secret)
        await proxy.open()
        await until(lambda: listener.is_listening and not worker._session.is_away, seconds=5)
        assert await ask(worker, acme.secret) == acme.key.id
    finally:
        await worker.stop()
        await listener.stop()


async def test_a_stop_while_the_server_is_frozen_takes_moments(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    from tests.apikeys.conftest import worker as one_worker

    async with one_worker() as worker:
        assert await ask(worker, acme.secret) == acme.key.id
        proxy.hold(b"")
        lookup = asyncio.create_task(worker.authenticate(keys.make_secret("api"), HERE))
        await asyncio.sleep(0.1)
        began = time.monotonic()

    assert time.monotonic() - began < 6
    with pytest.raises(KeyStoreUnavailable):
        await lookup
