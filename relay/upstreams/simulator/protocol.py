"""uvicorn's HTTP protocol with its transport in the scope: accidents such as a TCP reset need it."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from relay.upstreams.simulator.wire import TRANSPORT


class Protocol(HttpToolsProtocol):
    """As uvicorn's, but `scope["extensions"]` holds the connection's transport."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]
