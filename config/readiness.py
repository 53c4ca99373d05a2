"""When a start is done: a request would be answered."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress


async def answers(listening: socket.socket, simulator_port: int | None) -> None:
    """Returns when the first worker answers, and the simulator accepts what it will send."""
    await _until(_asked, *listening.getsockname()[:2])
    if simulator_port is not None:
        await _until(_reached, "127.0.0.1", simulator_port)


async def _until(attempt: Callable[[str, int], Awaitable[bool]], host: str, port: int) -> None:
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await attempt(host, port):
                return
        await asyncio.sleep(0.05)


async def _asked(host: str, port: int) -> bool:
    """One request, which waits in the socket's queue until a worker takes it."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    status = await reader.readuntil(b"\r\n")
    writer.close()
    return b" 200 " in status


async def _reached(host: str, port: int) -> bool:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    return True
