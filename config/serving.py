"""Puts the relay of one worker together, and takes it apart again."""

from uuid import UUID

from django.conf import settings

from apikeys.authentication import Authenticator
from apikeys.notifications import Listener
from metering.admission import Admission
from metering.attempt import Meter
from metering.journal import Journal
from metering.prices import PriceBook
from relay.alarms import AccountAlarms
from relay.asgi import Relay
from relay.body import Bodies
from relay.client import Drains
from relay.forward import Forwarder
from relay.reading_process import BodyReader
from relay.routing import RouteTable
from relay.services import Services
from relay.transport import Timeouts, Transport


class Serving:
    """The relay and what it stands on. `start` before the first request, `stop` after the last."""

    def __init__(self) -> None:
        self._listener = Listener()
        self._authenticator = Authenticator(self._listener)
        self._prices = PriceBook(self._listener)
        self._routes = RouteTable(self._listener)
        self._transport = Transport()
        self._alarms = AccountAlarms()
        self._reader = BodyReader()
        self.journal = Journal(settings.JOURNAL_DIR, sync=settings.JOURNAL_SYNC)
        self._admission = admission = Admission(self._listener, UUID(self.journal.folder.name))
        self.relay = Relay(
            Services(
                authenticator=self._authenticator,
                admission=admission,
                meter=Meter(self.journal, self._prices, admission),
                routes=self._routes,
                forwarder=Forwarder(self._transport, self._alarms, _json_timeouts(), _stream_timeouts()),
                reader=self._reader,
                bodies=Bodies(),
                drains=Drains(),
            )
        )

    async def start(self) -> None:
        await self._listener.start()
        await self._authenticator.start()
        await self._prices.start()
        await self._routes.start()
        await self._admission.start()

    async def stop(self) -> None:
        await self._admission.stop()
        await self._routes.stop()
        await self._prices.stop()
        await self._authenticator.stop()
        await self._listener.stop()
        await self._alarms.stop()
        await self._transport.aclose()
        self._reader.close()
        self.journal.close()


def _json_timeouts() -> Timeouts:
    return Timeouts(
        connect=settings.UPSTREAM_CONNECT_SECONDS,
        first_byte=settings.UPSTREAM_JSON_SECONDS,
        idle=settings.UPSTREAM_IDLE_SECONDS,
    )


def _stream_timeouts() -> Timeouts:
    return Timeouts(
        connect=settings.UPSTREAM_CONNECT_SECONDS,
        first_byte=settings.UPSTREAM_STREAM_SECONDS,
        idle=settings.UPSTREAM_IDLE_SECONDS,
        silence=settings.PING_SECONDS,
    )
