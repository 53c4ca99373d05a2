import asyncio
import time
from datetime import UTC, datetime

from apikeys import actions
from apikeys.authentication import Authenticator
from apikeys.last_use import BATCH
from apikeys.models import ApiKey
from tests.apikeys.conftest import OPERATOR, Clock, Tenant, in_django
from tests.apikeys.proxy import PostgresProxy

HERE = "192.0.2.1"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
STORE = b"SET last_used_at"


def stored(tenant: Tenant) -> datetime | None:
    return ApiKey.objects.get(pk=tenant.key.pk).last_used_at


async def use(worker: Authenticator, secret: str, at: float) -> None:
    if worker.cached(secret, at) is None:
        await worker.authenticate(secret, HERE)


async def test_the_last_use_is_kept_to_the_minute(acme: Tenant, globex: Tenant, workers) -> None:
    worker = await workers(wall_clock=lambda: NOON.timestamp() + 42)

    await worker.authenticate(acme.secret, HERE)
    await worker._last_use.flush()

    assert await in_django(stored, acme) == NOON
    assert await in_django(stored, globex) is None


async def test_a_key_is_written_once_a_minute(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    clock = Clock(lambda: NOON.timestamp())
    worker = await workers(wall_clock=clock)
    proxy.count(STORE)

    for clock.step in (0, 10, 59, 60, 119):
        await use(worker, acme.secret, clock())
        await worker._last_use.flush()

    assert proxy.count(STORE) == 2
    assert await in_django(stored, acme) == NOON.replace(minute=1)


async def test_the_latest_of_several_workers_wins(acme: Tenant, workers) -> None:
    early = await workers(wall_clock=lambda: NOON.timestamp())
    late = await workers(wall_clock=lambda: NOON.timestamp() + 600)
    await early.authenticate(acme.secret, HERE)
    await late.authenticate(acme.secret, HERE)

    await late._last_use.flush()
    await early._last_use.flush()

    assert await in_django(stored, acme) == NOON.replace(minute=10)


async def test_a_stop_writes_what_is_left(acme: Tenant, transactional_db: None) -> None:
    from tests.apikeys.conftest import worker

    async with worker(wall_clock=lambda: NOON.timestamp()) as one:
        await one.authenticate(acme.secret, HERE)

    assert await in_django(stored, acme) == NOON


async def test_the_last_use_of_a_key_that_was_revoked_is_kept(acme: Tenant, workers) -> None:
    worker = await workers(wall_clock=lambda: NOON.timestamp())
    await worker.authenticate(acme.secret, HERE)
    await in_django(actions.set_key_status, acme.key, "archived", actor=OPERATOR)
    while worker._entries:
        await asyncio.sleep(0.01)

    await worker._last_use.flush()

    assert await in_django(stored, acme) == NOON


async def test_an_outage_delays_it_and_loses_nothing(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    worker = await workers(wall_clock=lambda: NOON.timestamp())
    await worker.authenticate(acme.secret, HERE)
    await proxy.close()

    await worker._last_use.flush()
    await proxy.open()
    await worker._last_use.flush()

    assert await in_django(stored, acme) == NOON


async def test_two_workers_with_many_keys_do_not_lock_each_other_out(acme: Tenant, workers) -> None:
    def make_many() -> list[str]:
        from django.conf import settings

        from apikeys import keys

        secrets = [keys.make_secret("api") for _ in range(BATCH + 100)]
        ApiKey.objects.bulk_create(
            ApiKey(
                organization=acme.organization,
                workspace_id=acme.key.workspace_id,
                name="one of many",
                digest=keys.digest(secret, settings.KEY_PEPPER),
                hint=keys.hint(secret),
            )
            for secret in secrets
        )
        return secrets

    secrets = await in_django(make_many)
    one, other = await workers(), await workers()
    await asyncio.gather(*(one.authenticate(secret, HERE) for secret in secrets))
    await asyncio.gather(*(other.authenticate(secret, HERE) for secret in reversed(secrets)))

    began = time.monotonic()
    await asyncio.gather(one._last_use.flush(), other._last_use.flush())

    assert time.monotonic() - began < 5
    unused = await in_django(ApiKey.objects.filter(last_used_at=None).count)
    assert unused == 1  # acme's own
