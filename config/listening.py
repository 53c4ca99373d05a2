"""The one socket that all web workers accept from."""

import errno
import ipaddress
import os
import socket
import time

from config.failures import Failure

BACKLOG = 2048
_PREDECESSOR_SECONDS = 2
"""Workers of a supervisor that was killed let go of the port within moments."""


def listen(host: str, port: int) -> socket.socket:
    """Bound and listening: from here on connections wait instead of being refused."""
    give_up = time.monotonic() + _PREDECESSOR_SECONDS
    while True:
        try:
            return _bind(host, port)
        except OSError as failure:
            if failure.errno != errno.EADDRINUSE or time.monotonic() > give_up:
                raise Failure(_explain(failure, host, port)) from failure
        time.sleep(0.1)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def free_port(preferred: int | None = None) -> int:
    """A port on 127.0.0.1 that nobody listens on now: the preferred one if possible."""
    for port in (preferred or 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Failure("no free port on 127.0.0.1")


def address_of(bound: socket.socket) -> str:
    """`http://host:port` at which this machine reaches the socket."""
    host, port = bound.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as failure:
        raise Failure(f"--host {host}: {failure.strerror}") from failure
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound


def _explain(failure: OSError, host: str, port: int) -> str:
    if failure.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use. Choose another one with --port, or stop what uses it."
    if failure.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has. Choose one above 1023 with --port."
    return f"cannot listen on {host} port {port}: {os.strerror(failure.errno or 0)}"
