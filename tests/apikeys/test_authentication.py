"""Who is who, without anything going wrong."""

import asyncio
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from apikeys import actions, keys
from apikeys.authentication import Authenticator
from apikeys.bad_keys import CAPACITY
from apikeys.errors import InvalidKey, TooManyBadKeys
from tests.apikeys.conftest import OPERATOR, Clock, Tenant, in_django
from tests.apikeys.proxy import PostgresProxy

HERE = "192.0.2.1"
BY_DIGEST = b"key.digest = ANY"


async def test_each_key_leads_to_its_own_tenant(acme: Tenant, globex: Tenant, workers) -> None:
    worker = await workers()

    callers = [await worker.authenticate(tenant.secret, HERE) for tenant in (acme, globex)]

    for caller, tenant in zip(callers, (acme, globex), strict=True):
        assert caller.organization_id == str(tenant.organization.id)
        assert caller.workspace_id == tenant.key.workspace_id
        assert caller.api_key_id == tenant.key.id
        assert caller.is_default_workspace
        assert caller.kind == "api"
        assert caller.expires_at is None


async def test_a_workspace_of_its_own_is_no_default(acme: Tenant, workers) -> None:
    workspace = await in_django(actions.create_workspace, acme.organization, "research", actor=OPERATOR)
    _, secret = await in_django(
        actions.create_key, organization=acme.organization, workspace=workspace, name="a key", actor=OPERATOR
    )

    caller = await (await workers()).authenticate(secret, HERE)

    assert (caller.workspace_id, caller.is_default_workspace) == (workspace.id, False)


async def test_an_admin_key_has_no_workspace(acme: Tenant, workers) -> None:
    _, secret = await in_django(
        actions.create_key, organization=acme.organization, kind="admin", name="admin", actor=OPERATOR
    )

    caller = await (await workers()).authenticate(secret, HERE)

    assert (caller.kind, caller.workspace_id, caller.is_default_workspace) == ("admin", None, False)


async def test_only_the_first_use_asks_the_database(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    worker = await workers()
    proxy.count(BY_DIGEST)
    assert worker.cached(acme.secret, time.time()) is None

    caller = await worker.authenticate(acme.secret, HERE)

    assert worker.cached(acme.secret, time.time()) == caller
    assert await worker.authenticate(acme.secret, HERE) == caller
    assert proxy.count(BY_DIGEST) == 1


async def test_fifty_at_once_with_one_key_share_one_select(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    worker = await workers()
    proxy.count(BY_DIGEST)

    callers = await asyncio.gather(*(worker.authenticate(acme.secret, HERE) for _ in range(50)))

    assert len(set(callers)) == 1
    assert proxy.count(BY_DIGEST) == 1


async def test_who_comes_while_a_select_runs_shares_it(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    worker = await workers()
    proxy.count(BY_DIGEST)
    proxy.hold(BY_DIGEST)
    first = asyncio.create_task(worker.authenticate(acme.secret, HERE))
    while not proxy.count(BY_DIGEST):
        await asyncio.sleep(0.01)

    second = asyncio.create_task(worker.authenticate(acme.secret, HERE))
    await asyncio.sleep(0.05)
    await proxy.release()

    assert await first == await second
    assert proxy.count(BY_DIGEST) == 1


async def test_a_client_that_leaves_takes_the_answer_from_nobody(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    worker = await workers()
    proxy.count(BY_DIGEST)
    proxy.hold(BY_DIGEST)
    leaver, stayer = (asyncio.create_task(worker.authenticate(acme.secret, HERE)) for _ in range(2))
    while not proxy.count(BY_DIGEST):
        await asyncio.sleep(0.01)

    leaver.cancel()
    await proxy.release()

    assert (await stayer).api_key_id == acme.key.id


async def test_a_mistyped_key_is_refused_without_a_query(proxy: PostgresProxy, workers) -> None:
    worker = await workers()
    proxy.count(BY_DIGEST)

    for secret in ("", "sk-ant-api03-abc", keys.make_secret("api")[:-1] + "!", "x" * 100_000):
        with pytest.raises(InvalidKey, match="malformed"):
            await worker.authenticate(secret, HERE)

    assert proxy.count(BY_DIGEST) == 0


async def test_an_unknown_key_is_remembered_for_a_second_and_no_longer(proxy: PostgresProxy, workers) -> None:
    clock = Clock(time.monotonic)
    worker = await workers(clock=clock)
    proxy.count(BY_DIGEST)
    secret = keys.make_secret("api")

    async def refused() -> int:
        with pytest.raises(InvalidKey, match="unknown"):
            await worker.authenticate(secret, HERE)
        return proxy.count(BY_DIGEST)

    assert [await refused(), await refused()] == [1, 1]
    clock.step += 1.0
    assert await refused() == 2


@pytest.mark.parametrize("status", ["inactive", "archived"])
async def test_a_key_that_is_not_active_is_refused(acme: Tenant, workers, status: str) -> None:
    await in_django(actions.set_key_status, acme.key, status, actor=OPERATOR)

    with pytest.raises(InvalidKey):
        await (await workers()).authenticate(acme.secret, HERE)


async def test_a_client_with_a_revoked_key_is_told_so_however_often_it_asks(acme: Tenant, workers) -> None:
    clock = Clock(time.monotonic)
    worker = await workers(clock=clock)
    await worker.authenticate(acme.secret, HERE)
    await in_django(actions.set_key_status, acme.key, "archived", actor=OPERATOR)
    while not await _is_refused(worker, acme.secret):
        await asyncio.sleep(0.01)

    for _ in range(2 * CAPACITY):
        clock.step += 0.5  # half of them ask the database again
        with pytest.raises(InvalidKey):
            await worker.authenticate(acme.secret, HERE)

    with pytest.raises(InvalidKey, match="archived"):
        await worker.authenticate(acme.secret, HERE)


async def test_a_key_switched_on_again_works_again_at_once(acme: Tenant, workers) -> None:
    worker = await workers()
    await in_django(actions.set_key_status, acme.key, "inactive", actor=OPERATOR)
    with pytest.raises(InvalidKey):
        await worker.authenticate(acme.secret, HERE)

    await in_django(actions.set_key_status, acme.key, "active", actor=OPERATOR)

    async with asyncio.timeout(1):
        while await _is_refused(worker, acme.secret):
            await asyncio.sleep(0.01)


async def test_expiry_is_checked_at_each_use(acme: Tenant, workers) -> None:
    wall_clock = Clock(time.time)
    expires_at = timezone.now() + timedelta(hours=1)
    _, secret = await in_django(
        actions.create_key, organization=acme.organization, name="brief", expires_at=expires_at, actor=OPERATOR
    )
    worker = await workers(wall_clock=wall_clock)
    caller = await worker.authenticate(secret, HERE)
    assert caller.expires_at == pytest.approx(expires_at.timestamp())

    wall_clock.step = 3601

    assert worker.cached(secret, wall_clock()) is None
    with pytest.raises(InvalidKey, match="expired"):
        await worker.authenticate(secret, HERE)


async def test_bad_keys_are_limited_by_address_and_good_ones_never(acme: Tenant, globex: Tenant, workers) -> None:
    clock = Clock(time.monotonic)
    worker = await workers(clock=clock)
    await worker.authenticate(acme.secret, HERE)
    for _ in range(CAPACITY):
        with pytest.raises(InvalidKey):
            await worker.authenticate("sk-toll-api01-wrong", HERE)

    with pytest.raises(TooManyBadKeys) as refused:
        await worker.authenticate("sk-toll-api01-wrong", HERE)
    with pytest.raises(TooManyBadKeys):
        await worker.authenticate(keys.make_secret("api"), HERE)

    assert refused.value.retry_after_seconds == 1
    clock.step += 0.5  # the known one has to be read again by now or not: either way it is no stranger
    assert await worker.authenticate(acme.secret, HERE)
    assert await worker.authenticate(globex.secret, "192.0.2.2")


async def test_a_key_known_good_is_no_stranger_after_a_pause(acme: Tenant, workers) -> None:
    clock, wall_clock = Clock(time.monotonic), Clock(time.time)
    worker = await workers(clock=clock, wall_clock=wall_clock)
    await worker.authenticate(acme.secret, HERE)

    clock.step = wall_clock.step = 3600
    for _ in range(CAPACITY):
        with pytest.raises(InvalidKey):
            await worker.authenticate("sk-toll-api01-wrong", HERE)

    assert worker.cached(acme.secret, wall_clock()) is None
    assert await worker.authenticate(acme.secret, HERE)


async def test_a_cached_answer_takes_microseconds(acme: Tenant, workers) -> None:
    worker = await workers()
    await worker.authenticate(acme.secret, HERE)
    now = time.time()

    began = time.perf_counter()
    for _ in range(10_000):
        worker.cached(acme.secret, now)

    assert (time.perf_counter() - began) / 10_000 < 30e-6  # about 2 us; the bound leaves room for a busy machine


async def _is_refused(worker: Authenticator, secret: str) -> bool:
    try:
        await worker.authenticate(secret, HERE)
    except InvalidKey:
        return True
    return False
