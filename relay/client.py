"""The client's end of a call: writing to it, and noticing that it has left."""

import asyncio

from relay.call import Call, HeaderList, Message

DRAIN_SECONDS = 10.0
WATCH_AFTER_SECONDS = 0.5


class Drains:
    """How many answers nobody waits for this process reads to their end at a time."""

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._running = 0

    def enter(self) -> bool:
        if self._running >= self._most:
            return False
        self._running += 1
        return True

    def leave(self) -> None:
        self._running -= 1


class Client:
    """Writes to the client, and after it has left to nobody.

    While it is watched, its leaving starts a drain: the task that serves it may read the upstream to its end for
    exact usage, and is cancelled when that takes too long, is not wanted, or too many do it (`gave_up`).
    """

    def __init__(self, call: Call, drains: Drains) -> None:
        self.is_gone = False
        self.gave_up = False
        self.has_head = False
        self.may_drain = True
        self._call = call
        self._drains = drains
        self._watch: asyncio.Task[Message] | None = None
        self._watch_later: asyncio.TimerHandle | None = None
        self._limit: asyncio.TimerHandle | None = None

    async def head(self, status: int, headers: HeaderList) -> None:
        self.has_head = True
        self._call.is_answered = True
        await self._call.send({"type": "http.response.start", "status": status, "headers": headers})

    async def piece(self, body: bytes, *, more: bool) -> None:
        if not self.is_gone:
            await self._call.send({"type": "http.response.body", "body": body, "more_body": more})

    def watch(self) -> None:
        """A server tells of a leaving client only when asked; the body must have been read before.

        Most answers are complete before the question is worth a task.
        """
        self._watch_later = asyncio.get_running_loop().call_later(WATCH_AFTER_SECONDS, self._watch_now)

    def unwatch(self) -> None:
        """The answer is complete, or will not be."""
        if self._watch_later is not None:
            self._watch_later.cancel()
            self._watch_later = None
        if self._watch is not None:
            self._watch.remove_done_callback(self._left)
            self._watch.cancel()
            self._watch = None
        if self._limit is not None:
            self._limit.cancel()
            self._drains.leave()
            self._limit = None

    def _watch_now(self) -> None:
        self._watch = asyncio.ensure_future(self._call.receive())
        self._watch.add_done_callback(self._left)

    def _left(self, _: asyncio.Task[Message]) -> None:
        if self._watch is None:  # unwatched while this call was on its way: nobody would end the drain
            return
        self.is_gone = True
        if self.may_drain and self._drains.enter():
            self._limit = asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._give_up)
        else:
            self._give_up()

    def _give_up(self) -> None:
        self.gave_up = True
        self._call.task.cancel()
