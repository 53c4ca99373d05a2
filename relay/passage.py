"""An answer's way to the client: every byte goes on at once, and is read along as it goes by."""

import asyncio
from dataclasses import dataclass

from metering.attempt import MeteredRequest
from relay import errors
from relay.call import Call, HeaderList
from relay.client import Client
from relay.tally import JsonTally, StreamTally, Tally
from relay.transport import Answer
from relay.transport_errors import IdleTimedOut, TransportError

PING = b'event: ping\ndata: {"type": "ping"}\n\n'
PROGRESS_SECONDS = 2.0

_JSON_HEADERS = frozenset({b"content-type", b"content-length", b"content-encoding"})
_STREAM_HEADERS: HeaderList = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]


@dataclass(slots=True)
class Passage:
    """One good answer on its way. `run` returns when the client has all of it, or cannot get more."""

    call: Call
    client: Client
    answer: Answer
    metered: MeteredRequest
    headers: HeaderList
    unsent: bytes = b""
    """The piece at which the client could not be waited for any longer."""

    async def run(self) -> None:
        """Raises `CancelledError` after settling, when the client gave up or the process stops."""
        is_stream = _is_event_stream(self.answer)
        tally: Tally = StreamTally() if is_stream else JsonTally()
        try:
            await self.client.head(self.answer.status, self._head(is_stream=is_stream))
            if isinstance(tally, StreamTally):
                await self._stream(tally)
            else:
                await self._json(tally)
        except TransportError as error:
            await self._cut(tally, error)
        except asyncio.CancelledError:
            await self._cancelled(tally)
            raise
        except Exception:
            await self._broken(tally)
            raise
        finally:
            self.answer.close()

    async def _json(self, tally: Tally) -> None:
        while (piece := await self.answer.piece()) is not None:
            tally.feed(piece)
            if self.answer.is_at_end:
                self._settle(tally)
                await self.client.piece(piece, more=False)
                return
            await self.client.piece(piece, more=True)
        self._settle(tally)
        await self.client.piece(b"", more=False)

    async def _stream(self, tally: StreamTally) -> None:
        clock = asyncio.get_running_loop().time
        next_progress = 0.0
        while not self.answer.is_at_end:
            piece = await self.answer.piece()
            if piece is None:
                break
            if not piece:  # silence
                if tally.is_between_frames and not tally.is_over:
                    await self.client.piece(PING, more=True)
                continue
            try:
                await self.client.piece(piece, more=True)
            except asyncio.CancelledError:
                self.unsent = piece
                raise
            if self.metered.first_byte_us is None:
                self.metered.first_byte_us = self.call.elapsed_us()
            tally.feed(piece)
            if tally.has_started and clock() >= next_progress:
                next_progress = clock() + PROGRESS_SECONDS
                self.metered.progress(tally)
        tally.finish()
        if tally.is_over:
            self._settle(tally)
            await self.client.piece(b"", more=False)
        else:
            await self._cut(tally, None)

    async def _cut(self, tally: Tally, error: TransportError | None) -> None:
        """The upstream stopped short. A stream says so; a JSON body of known length just ends too early."""
        tally.finish()
        if tally.is_complete and not self._owes_bytes(tally):  # only the end of the transfer was missing
            self._settle(tally)
            await self.client.piece(b"", more=False)
            return
        timed_out = isinstance(error, IdleTimedOut)
        type_ = "timeout_error" if timed_out else "api_error"
        reason = error.reason if error else "cut"
        self._settle(tally, outcome="upstream_error", reason=reason, error_type=type_, is_estimated=not tally.is_known)
        message = (
            "The upstream stopped answering" if timed_out else "The upstream's answer ended before it was complete"
        )
        await self._end_with_error(tally, type_, message)

    async def _cancelled(self, tally: Tally) -> None:
        tally.feed(self.unsent)
        tally.finish()
        if self.client.gave_up:
            self._settle(tally, outcome="client_closed", is_estimated=not tally.is_known)
        elif isinstance(tally, StreamTally) and tally.is_over:
            self._settle(tally)
            await self._end(self.unsent)
        else:
            self._settle(tally, outcome="interrupted", reason="shutdown", is_estimated=not tally.is_known)
            await self._end_with_error(tally, "api_error", "The server is being restarted")

    async def _broken(self, tally: Tally) -> None:
        """A mistake of ours, which nobody may take for the end of the answer."""
        self._settle(tally, outcome="interrupted", reason="internal", is_estimated=True)
        await self._end_with_error(tally, "api_error", "Internal server error")

    async def _end_with_error(self, tally: Tally, type_: str, message: str) -> None:
        if not isinstance(tally, StreamTally):
            return  # the server closes the connection, because fewer bytes came than were announced
        await self._end(self.unsent + tally.closing() + errors.error_event(type_, message, self.call.request_id))

    async def _end(self, last: bytes) -> None:
        if last:
            await self.client.piece(last, more=True)
        await self.client.piece(b"", more=False)

    def _settle(
        self, tally: Tally, *, outcome: str = "", reason: str = "", error_type: str = "", is_estimated: bool = False
    ) -> None:
        self.client.unwatch()
        if isinstance(tally, JsonTally):
            tally.finish()
        if not outcome:
            outcome = "client_closed" if self.client.is_gone else "completed"
            if tally.error_type:
                outcome, reason, is_estimated = "upstream_error", "error_event", True
            elif not tally.is_known:
                is_estimated = True
        self.metered.settle(
            outcome=outcome,
            status=self.answer.status,
            at_us=self.call.now_us(),
            reason=reason,
            error_type=error_type,
            seen=tally,
            is_estimated=is_estimated,
        )

    def _owes_bytes(self, tally: Tally) -> bool:
        """Whether the client was told of more bytes than came, so that this answer cannot end well any more."""
        return isinstance(tally, JsonTally) and any(name == b"content-length" for name, _ in self.answer.headers)

    def _head(self, *, is_stream: bool) -> HeaderList:
        if not is_stream:
            return [*self.headers, *(header for header in self.answer.headers if header[0] in _JSON_HEADERS)]
        packed = [header for header in self.answer.headers if header[0] == b"content-encoding"]
        return [*self.headers, *_STREAM_HEADERS, *packed]


def _is_event_stream(answer: Answer) -> bool:
    for name, value in answer.headers:
        if name == b"content-type":
            return value.lower().startswith(b"text/event-stream")
    return False
