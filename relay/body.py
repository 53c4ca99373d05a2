"""Taking in a request body: no larger than allowed, not slower, and never more of them than memory bears."""

import asyncio
from collections import Counter

from relay import errors
from relay.call import Call, Message

MEBIBYTE = 1 << 20
MESSAGE_BYTES = 32 * MEBIBYTE
"""The Claude API's limit for Messages and count_tokens (errors reference, "Size limits")."""

GRACE_SECONDS = 30.0
SLOWEST_BYTES_PER_SECOND = 16_000
LINGER_SECONDS = 5.0
LINGER_BYTES = 64 * MEBIBYTE


class Bodies:
    """The bodies that one process holds at a time, in bytes: a total, and at most a quarter for one organization."""

    def __init__(self, total: int = 512 * MEBIBYTE) -> None:
        self._total = total
        self._held = 0
        self._held_by: Counter[str] = Counter()

    def hold(self, organization_id: str, size: int) -> None:
        """`size` more bytes. Raises 529 when there is no room."""
        if self._held + size > self._total or self._held_by[organization_id] + size > self._total // 4:
            raise errors.overloaded("bodies_full")
        self._held += size
        self._held_by[organization_id] += size

    def release(self, organization_id: str, size: int) -> None:
        self._held -= size
        self._held_by[organization_id] -= size
        if not self._held_by[organization_id]:
            del self._held_by[organization_id]


class HeldBody:
    """A body and its place in `Bodies`, from the first piece until nobody needs it any more."""

    __slots__ = ("_bodies", "_organization_id", "_size", "content")

    def __init__(self, bodies: Bodies, organization_id: str) -> None:
        self._bodies = bodies
        self._organization_id = organization_id
        self._size = 0
        self.content = b""

    def grow(self, size: int) -> None:
        if size:  # nothing held is nothing to give back
            self._bodies.hold(self._organization_id, size)
            self._size += size

    def release(self) -> None:
        """Give up the body and its place. A stream may run for minutes after its request was sent."""
        self.content = b""
        if self._size:
            self._bodies.release(self._organization_id, self._size)
            self._size = 0


def check_declared_size(call: Call, limit: int = MESSAGE_BYTES) -> None:
    """Refuse what says that it is too large, before a byte of it is read."""
    declared = call.declared_bytes
    if declared is not None and declared > limit:
        raise errors.body_too_large()


class _Patience:
    """How long a body may take: 30 s, or as long as it needs at the slowest speed we bear.

    A bare timer: `asyncio.timeout` costs every request three times as much.
    """

    __slots__ = ("_call", "_is_over", "_loop", "_started")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._is_over = False

    async def wait_for_piece(self, size: int) -> Message:
        end = self._started + max(GRACE_SECONDS, size / SLOWEST_BYTES_PER_SECOND)
        timer = self._loop.call_at(end, self._lose)
        try:
            return await self._call.receive()
        except asyncio.CancelledError:
            if self._is_over:
                self._call.task.uncancel()
                raise errors.body_too_slow() from None
            raise
        finally:
            timer.cancel()

    def _lose(self) -> None:
        self._is_over = True
        self._call.task.cancel()


async def read(call: Call, held: HeldBody, limit: int = MESSAGE_BYTES) -> None:
    """Take the whole body into `held`. Raises 413, 400 (too slow), 529 (no room) or 499 (the client left)."""
    patience = _Patience(call)
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await patience.wait_for_piece(size)
        if message["type"] == "http.disconnect":
            raise errors.client_gone()
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise errors.body_too_large()
        held.grow(len(piece))
        if not message.get("more_body", False):
            call.is_read = True
            held.content = piece if not pieces else b"".join([*pieces, piece])
            return
        pieces.append(piece)


async def linger(call: Call) -> None:
    """Take and drop what a refused client is still sending, so that it gets to read the answer. Bounded."""
    dropped = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while dropped < LINGER_BYTES:
                message = await call.receive()
                dropped += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
