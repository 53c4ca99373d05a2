"""A key that stops must stop everywhere, whatever races it."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from apikeys import actions, channels
from apikeys.authentication import Authenticator
from apikeys.errors import InvalidKey, KeyStoreUnavailable
from apikeys.known_keys import TRUSTED_SECONDS
from apikeys.models import ApiKey
from tests.apikeys.conftest import OPERATOR, Clock, Tenant, in_django, until
from tests.apikeys.proxy import PostgresProxy

HERE = "192.0.2.1"
BY_DIGEST = b"key.digest = ANY"
POLL = b"WHERE NOT EXISTS"
LISTEN = b"LISTEN"

REVOCATIONS = {
    "key": lambda tenant: actions.set_key_status(tenant.key, "archived", actor=OPERATOR),
    "key, for now": lambda tenant: actions.set_key_status(tenant.key, "inactive", actor=OPERATOR),
    "organization": lambda tenant: actions.archive_organization(tenant.organization, actor=OPERATOR),
}
every_revocation = pytest.mark.parametrize("revoke", REVOCATIONS.values(), ids=REVOCATIONS)


def revoke_unheard(tenant: Tenant) -> None:
    """As if the notification had been lost."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE apikeys_apikey SET stored_status = 'archived' WHERE id = %s", [tenant.key.id])


def hears(worker: Authenticator) -> asyncio.Event:
    """Set once the worker has heard of a change."""
    heard = asyncio.Event()
    worker._listener.subscribe(channels.KEYS, lambda _: heard.set())
    return heard


async def answers(worker: Authenticator, secret: str) -> bool:
    """Whether this worker lets the key in now, as the relay asks it."""
    if worker.cached(secret, time.time()) is not None:
        return True
    try:
        await worker.authenticate(secret, HERE)
    except InvalidKey:
        return False
    return True


async def seconds_until_refused(worker: Authenticator, secret: str) -> float:
    began = time.monotonic()
    while await answers(worker, secret):
        await asyncio.sleep(0.005)
    return time.monotonic() - began


@every_revocation
async def test_every_worker_refuses_within_a_second(
    acme: Tenant, globex: Tenant, workers, revoke: Callable[[Tenant], Any]
) -> None:
    all_workers = [await workers() for _ in range(3)]
    for worker in all_workers:
        assert await answers(worker, acme.secret)
        assert await answers(worker, globex.secret)

    await in_django(revoke, acme)
    seconds = await asyncio.gather(*(seconds_until_refused(worker, acme.secret) for worker in all_workers))

    assert max(seconds) < 1
    assert all([await answers(worker, globex.secret) for worker in all_workers])


async def test_a_workspace_archived_takes_its_keys_along_and_no_others(acme: Tenant, workers) -> None:
    workspace = await in_django(actions.create_workspace, acme.organization, "research", actor=OPERATOR)
    _, secret = await in_django(
        actions.create_key, organization=acme.organization, workspace=workspace, name="a key", actor=OPERATOR
    )
    worker = await workers()
    assert await answers(worker, secret)
    assert await answers(worker, acme.secret)

    await in_django(actions.archive_workspace, workspace, actor=OPERATOR)

    assert await seconds_until_refused(worker, secret) < 1
    assert await answers(worker, acme.secret)


@every_revocation
async def test_a_refill_that_began_before_the_revocation_is_thrown_away(
    acme: Tenant, proxy: PostgresProxy, workers, revoke: Callable[[Tenant], Any]
) -> None:
    worker = await workers()
    heard = hears(worker)
    proxy.count(BY_DIGEST)
    proxy.hold(BY_DIGEST)
    refill = asyncio.create_task(worker.authenticate(acme.secret, HERE))
    await until(lambda: proxy.count(BY_DIGEST))  # asked while the key was good,
    await asyncio.sleep(0.1)

    await in_django(revoke, acme)  # answered while it is not
    await asyncio.wait_for(heard.wait(), 1)
    await proxy.release()

    with pytest.raises(InvalidKey):
        await refill
    assert proxy.count(BY_DIGEST) == 2
    assert worker.cached(acme.secret, time.time()) is None


async def test_a_poll_that_began_before_the_revocation_renews_nothing(
    acme: Tenant, proxy: PostgresProxy, workers
) -> None:
    worker = await workers()
    heard = hears(worker)
    assert await answers(worker, acme.secret)
    asked_for_it = acme.key.id.encode()
    proxy.count(asked_for_it)
    proxy.hold(asked_for_it)
    await until(lambda: proxy.count(asked_for_it))
    await asyncio.sleep(0.1)

    await in_django(revoke_and_announce, acme)
    await asyncio.wait_for(heard.wait(), 1)
    await proxy.release()
    await until(lambda: not worker._session._turn.locked())  # the answer has been dealt with

    assert worker.cached(acme.secret, time.time()) is None
    assert not await answers(worker, acme.secret)


def revoke_and_announce(tenant: Tenant) -> None:
    actions.set_key_status(tenant.key, "archived", actor=OPERATOR)


async def test_a_lost_notification_costs_five_seconds_at_most(acme: Tenant, globex: Tenant, workers) -> None:
    worker = await workers()
    assert await answers(worker, acme.secret)
    assert await answers(worker, globex.secret)

    await in_django(revoke_unheard, acme)

    assert await seconds_until_refused(worker, acme.secret) < 5
    assert worker.cached(globex.secret, time.time()) is not None


async def test_a_process_that_was_paused_asks_before_it_answers(acme: Tenant, workers) -> None:
    clock = Clock(time.monotonic)
    worker = await workers(clock=clock)
    assert await answers(worker, acme.secret)
    await in_django(revoke_unheard, acme)

    clock.step += TRUSTED_SECONDS  # it slept, and neither heard nor polled

    assert worker.cached(acme.secret, time.time()) is None
    assert not await answers(worker, acme.secret)


async def test_without_notifications_every_use_asks(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    worker = await workers()
    assert await answers(worker, acme.secret)
    proxy.hold(LISTEN)  # the next one is never answered
    proxy.cut(LISTEN)
    await until(lambda: not worker._listener.is_listening)
    proxy.count(BY_DIGEST)

    assert worker.cached(acme.secret, time.time()) is None
    assert await answers(worker, acme.secret)
    assert await answers(worker, acme.secret)
    assert proxy.count(BY_DIGEST) == 2
    await in_django(revoke_unheard, acme)

    assert not await answers(worker, acme.secret)


async def test_notifications_that_come_back_find_nothing_old(acme: Tenant, proxy: PostgresProxy, workers) -> None:
    worker = await workers()
    assert await answers(worker, acme.secret)
    proxy.cut(LISTEN)
    await until(lambda: not worker._listener.is_listening)
    await in_django(revoke_unheard, acme)

    await until(lambda: worker._listener.is_listening)

    assert not await answers(worker, acme.secret)


async def test_a_read_that_spans_a_loss_of_notifications_is_not_believed_for_long(
    acme: Tenant, proxy: PostgresProxy, workers
) -> None:
    worker = await workers()
    proxy.count(BY_DIGEST)
    proxy.hold(BY_DIGEST)
    refill = asyncio.create_task(worker.authenticate(acme.secret, HERE))
    await until(lambda: proxy.count(BY_DIGEST))
    proxy.cut(LISTEN)
    await until(lambda: not worker._listener.is_listening)
    await until(lambda: worker._listener.is_listening)
    await proxy.release()

    assert (await refill).api_key_id == acme.key.id  # it was good when it was asked for,
    assert worker._entries[next(iter(worker._entries))].fresh_until < 0  # which says nothing about the next use


async def test_a_revoked_key_does_not_stand_while_the_database_is_away(
    acme: Tenant, globex: Tenant, proxy: PostgresProxy, workers
) -> None:
    worker = await workers()
    heard = hears(worker)
    assert await answers(worker, acme.secret)
    assert await answers(worker, globex.secret)
    proxy.hold(BY_DIGEST)
    proxy.hold(POLL)

    await in_django(revoke_and_announce, acme)
    await asyncio.wait_for(heard.wait(), 1)

    with pytest.raises(KeyStoreUnavailable):
        await worker.authenticate(acme.secret, HERE)
    assert await answers(worker, globex.secret)


async def test_a_rolled_back_revocation_is_never_heard(acme: Tenant, workers) -> None:
    from django.db import transaction

    def revoke_and_think_again() -> None:
        with transaction.atomic():
            actions.set_key_status(acme.key, "archived", actor=OPERATOR)
            transaction.set_rollback(True)

    worker = await workers()
    heard = hears(worker)
    assert await answers(worker, acme.secret)

    await in_django(revoke_and_think_again)
    await asyncio.sleep(0.2)

    assert not heard.is_set()
    assert worker.cached(acme.secret, time.time()) is not None


async def test_a_deleted_row_is_noticed(acme: Tenant, workers) -> None:
    worker = await workers()
    assert await answers(worker, acme.secret)

    await in_django(ApiKey.objects.filter(pk=acme.key.pk).delete)

    assert await seconds_until_refused(worker, acme.secret) < 5
