"""Whose word about a client's address counts: that of the proxies in `TOLLGATE_TRUSTED_PROXIES`, nobody else's."""

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDED_FOR = b"x-forwarded-for"
FORWARDED_PROTO = b"x-forwarded-proto"

logger = logging.getLogger("tollgate.proxies")


def parse_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, separated by commas. Raises ValueError for what is neither."""
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


class Proxies:
    """Puts the client's own address and scheme into the scope of a request that came through a trusted proxy.

    The client is the last address in `x-forwarded-for` that is not a trusted proxy: what stands before it, anybody
    can have written.
    """

    def __init__(self, application: Application, trusted: tuple[Network, ...]) -> None:
        self._application = application
        self._trusted = trusted
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        for name, _ in scope.get("headers", ()):
            if name == FORWARDED_FOR:
                scope = self._seen_through(scope)
                break
        await self._application(scope, receive, send)

    def _seen_through(self, scope: Scope) -> Scope:
        peer = scope.get("client")
        if peer is None or not self._is_trusted(peer[0]):
            self._warn(peer)
            return scope
        client = self._client(_values(scope["headers"], FORWARDED_FOR)) or peer[0]
        schemes = _values(scope["headers"], FORWARDED_PROTO)
        seen = {**scope, "client": (client, 0)}
        if schemes and schemes[-1] in {"http", "https"}:
            seen["scheme"] = schemes[-1] if scope["type"] == "http" else schemes[-1].replace("http", "ws")
        return seen

    def _client(self, addresses: list[str]) -> str | None:
        for address in reversed(addresses):
            if not _is_address(address):
                return None
            if not self._is_trusted(address):
                return address
        return addresses[0] if addresses else None

    def _is_trusted(self, address: str) -> bool:
        if not _is_address(address):
            return False
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self._trusted)

    def _warn(self, peer: tuple[str, int] | None) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "ignored an x-forwarded-for header from %s: TOLLGATE_TRUSTED_PROXIES does not name it",
                peer[0] if peer else "an unknown address",
            )


def _values(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    lines = [value.decode("latin-1") for name, value in headers if name == wanted]
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
