"""Under which names people may open the console. `/v1` never looks at the Host header."""

import fcntl
import ipaddress
import socket
import struct
from urllib.parse import urlsplit

LOCAL = ["localhost", "127.0.0.1", "[::1]"]
_SIOCGIFADDR = 0x8915


def allowed_hosts(public_url: str, listening_host: str) -> list[str]:
    """With a public address: that one, and this machine itself. Without: whatever reaches the listening socket."""
    if public_url:
        return [urlsplit(public_url).hostname or "", *LOCAL]
    return [*LOCAL, *(_bracketed(name) for name in _names_of(listening_host))]


def _names_of(listening_host: str) -> list[str]:
    if not listening_host:
        return []
    if listening_host not in {"0.0.0.0", "::"}:  # noqa: S104
        return [listening_host]
    name = socket.gethostname()
    return sorted({name, socket.getfqdn(name), *_ipv4_addresses(), *_ipv6_addresses()})


def _ipv4_addresses() -> list[str]:
    """The first IPv4 address of each interface."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, request)
            except OSError:
                continue
            found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _ipv6_addresses() -> list[str]:
    try:
        with open("/proc/net/if_inet6") as lines:
            return [str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))) for line in lines]
    except OSError:
        return []


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
