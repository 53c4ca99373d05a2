"""Refusals of a hammering caller are counted, not written one by one. Pure: the caller brings the clock.

Ten a second of one key and reason are records of their own. Those beyond are one record: the first of them, with
their count and the last one's request id.
"""

from dataclasses import dataclass, replace

from metering.records import Refused

FREE_PER_SECOND = 10
_WINDOW_SECONDS = 1.0


@dataclass(slots=True)
class _Window:
    since: float
    written: int = 0
    counted: Refused | None = None


class Refusals:
    """What one process has refused within the running second, by key and reason. Not safe for threads."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str | None, str], _Window] = {}

    def offer(self, record: Refused, now: float) -> Refused | None:
        """The record to write now, or None: then it is counted, and `due` brings it within a second or so."""
        window = self._window(record, now)
        if window.counted is None and window.written < FREE_PER_SECOND:
            window.written += 1
            return record
        _count(window, record)
        return None

    def hold(self, record: Refused, now: float) -> None:
        """Count a record that could not be written now."""
        _count(self._window(record, now), record)

    def due(self, now: float) -> list[Refused]:
        """The counted records of seconds that are over; `due(inf)` brings them all."""
        over = [key for key, window in self._windows.items() if now - window.since >= _WINDOW_SECONDS]
        counted = [self._windows.pop(key).counted for key in over]
        return [record for record in counted if record is not None]

    def _window(self, record: Refused, now: float) -> _Window:
        return self._windows.setdefault((record.api_key_id, record.reason), _Window(now))


def _count(window: _Window, record: Refused) -> None:
    if window.counted is None:
        window.counted = record
        return
    window.counted = replace(
        window.counted,
        count=window.counted.count + record.count,
        last_request_id=record.last_request_id or record.request_id,
    )
