"""What every call of one process shares."""

from dataclasses import dataclass

from apikeys.authentication import Authenticator
from metering.admission import Admission
from metering.attempt import Meter
from relay.body import Bodies
from relay.client import Drains
from relay.forward import Forwarder
from relay.reading_process import BodyReader
from relay.routing import RouteTable


@dataclass(slots=True)
class Services:
    authenticator: Authenticator
    admission: Admission
    meter: Meter
    routes: RouteTable
    forwarder: Forwarder
    reader: BodyReader
    bodies: Bodies
    drains: Drains
