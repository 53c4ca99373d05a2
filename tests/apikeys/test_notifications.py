import asyncio
import logging

import pytest
from django.db import connection

from apikeys import channels, database
from apikeys.notifications import Listener
from tests.apikeys.conftest import in_django, until
from tests.apikeys.proxy import PostgresProxy


def notify(channel: str, payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


@pytest.fixture
async def listener(proxy: PostgresProxy):
    listener = Listener()
    await listener.start()
    await until(lambda: listener.is_listening)
    yield listener
    await listener.stop()


async def test_each_channel_has_its_own_subscribers(listener: Listener) -> None:
    heard: list[tuple[str, str]] = []
    listener.subscribe(channels.KEYS, lambda payload: heard.append(("keys", payload)))
    leave = listener.subscribe(channels.PRICES, lambda payload: heard.append(("prices", payload)))

    await in_django(notify, channels.KEYS, "apikey_1")
    await in_django(notify, channels.PRICES, "")
    await in_django(notify, channels.USAGE, "nobody listens")
    await until(lambda: len(heard) == 2)
    leave()
    await in_django(notify, channels.PRICES, "")
    await in_django(notify, channels.KEYS, "apikey_2")
    await until(lambda: len(heard) == 3)

    assert heard == [("keys", "apikey_1"), ("prices", ""), ("keys", "apikey_2")]


def test_a_channel_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="tollgate_nothing"):
        Listener().subscribe("tollgate_nothing", print)


async def test_a_loss_is_noticed_and_made_good(listener: Listener, proxy: PostgresProxy) -> None:
    told: list[str] = []
    listener.on_lost(lambda: told.append("lost"))
    listener.on_restored(lambda: told.append("restored"))
    listener.subscribe(channels.KEYS, told.append)

    proxy.cut(b"LISTEN")
    await until(lambda: told == ["lost", "restored"])
    await in_django(notify, channels.KEYS, "apikey_1")
    await until(lambda: len(told) == 3)

    assert told == ["lost", "restored", "apikey_1"]
    assert listener.is_listening


async def test_a_server_that_freezes_is_noticed(listener: Listener, proxy: PostgresProxy) -> None:
    proxy.hold(b"")

    await until(lambda: not listener.is_listening, seconds=8)
    await proxy.release()

    await until(lambda: listener.is_listening, seconds=8)


async def test_an_outage_is_logged_once(
    listener: Listener, proxy: PostgresProxy, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "apikeys.notifications"):
        await proxy.close()
        await asyncio.sleep(1)

    assert len(caplog.records) == 1


async def test_a_callback_that_fails_stops_nobody_else(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []
    listener.subscribe(channels.KEYS, lambda payload: {}[payload])
    listener.subscribe(channels.KEYS, heard.append)

    await in_django(notify, channels.KEYS, "apikey_1")
    await in_django(notify, channels.KEYS, "apikey_2")
    await until(lambda: heard == ["apikey_1", "apikey_2"])

    assert caplog.text.count("a notification's callback failed") == 2


async def test_an_unreachable_server_is_unavailable(proxy: PostgresProxy) -> None:
    await proxy.close()

    with pytest.raises(database.Unavailable):
        await database.connect()


async def test_a_server_that_does_not_answer_is_unavailable_within_seconds(proxy: PostgresProxy) -> None:
    proxy.hold(b"")

    async with asyncio.timeout(database.CONNECT_SECONDS + 1):
        with pytest.raises(database.Unavailable):
            await database.connect()
