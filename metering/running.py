"""Requests that have begun and not ended, as their journal tells them. Pure: records in, rows of the ledger out.

Reading the same records again changes nothing: a request that is told again is only found at its later place.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from metering import rows
from metering.records import Begin, End, Progress, Record, Refused, Sent


class Position(NamedTuple):
    """A place in a journal folder."""

    segment: int
    offset: int


class NotBegun(ValueError):
    """A record of a request whose BEGIN is not in the journal."""


@dataclass(slots=True)
class RunningRequest:
    """A request without its final END. `upstreams` has its attempts beyond the first."""

    begin: Begin
    position: Position
    upstreams: dict[int, Sent] = field(default_factory=dict)
    progress: Progress | None = None
    ended: set[int] = field(default_factory=set)

    def upstream(self, attempt: int) -> str:
        sent = self.upstreams.get(attempt)
        return sent.upstream if sent else self.begin.upstream


class RunningRequests:
    """The running requests of one journal, in the order of their places in it."""

    def __init__(self) -> None:
        self._requests: dict[str, RunningRequest] = {}

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[RunningRequest]:
        return iter(self._requests.values())

    @property
    def oldest(self) -> Position | None:
        """Where reading must start for all of these to be known again."""
        first = next(iter(self._requests.values()), None)
        return first.position if first else None

    def apply(self, record: Record, position: Position) -> rows.Row | None:
        """Take in the record that starts at `position`; the row that it completes, if any. Raises NotBegun."""
        if isinstance(record, Begin):
            self._begin(record, position)
            return None
        if isinstance(record, Refused):
            return rows.of_refusal(record)
        request = self._requests.get(record.request_id)
        if request is None:
            raise NotBegun(f"no BEGIN of {record.request_id}")
        if isinstance(record, End):
            return self._end(request, record)
        if isinstance(record, Sent):
            request.upstreams[record.attempt] = record
        else:
            request.progress = record
        return None

    def _begin(self, record: Begin, position: Position) -> None:
        request = self._requests.pop(record.request_id, None)
        if request is None:
            request = RunningRequest(record, position)
        request.position = position
        self._requests[record.request_id] = request

    def _end(self, request: RunningRequest, record: End) -> rows.Row:
        if record.is_final:
            del self._requests[record.request_id]
        else:
            request.ended.add(record.attempt)
        return rows.of_attempt(request.begin, record, request.upstream(record.attempt))
