"""What one worker remembers of keys, and how long it may believe it. No clock, no database: both are brought in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

from apikeys.caller import Caller

TRUSTED_SECONDS = 5.0
"""An entry is used without asking for so long after it was read; polls keep renewing those in use."""
REFUSED_SECONDS = 1.0
MOST_REFUSED = 10_000
MOST_KNOWN = 50_000

Digest = bytes


@dataclass(slots=True)
class Entry:
    """One key that was good when it was last read."""

    digest: Digest
    caller: Caller
    expires_at: float
    """Epoch seconds; infinite for a key without an end."""
    read_at: float
    """Monotonic seconds at which the statement that last found it good began; minus infinity after a change."""
    fresh_until: float
    """Monotonic seconds until which nothing needs to be asked."""
    used_at: float = 0.0
    """Epoch seconds of the last use, 0 before the first."""
    stored_minute: int = 0
    """The last use that the database knows, in minutes since the epoch."""


@dataclass(slots=True)
class Watch:
    """What was heard while one statement ran."""

    hears_all: bool
    changed_ids: set[str] = field(default_factory=set)

    def touches(self, caller: Caller) -> bool:
        if not self.changed_ids:
            return False
        return not self.changed_ids.isdisjoint((caller.api_key_id, caller.workspace_id, caller.organization_id))


class KnownKeys:
    """Entries by digest, and for a second each what was refused and why."""

    def __init__(self) -> None:
        self.entries: dict[Digest, Entry] = {}
        self.left_minutes: dict[str, int] = {}
        """Last uses, by key id in minutes, of entries that went before the database was told."""
        self._refused: dict[Digest, tuple[str, float]] = {}
        self._watches: list[Watch] = []
        self._hears = False

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """Around a statement: a change heard meanwhile may be newer than the statement's answer."""
        watch = Watch(hears_all=self._hears)
        self._watches.append(watch)
        try:
            yield watch
        finally:
            self._watches.remove(watch)

    def remember(self, digest: Digest, caller: Caller, read_at: float, watch: Watch) -> Entry:
        """Keep what a statement, begun at `read_at` under `watch`, found good."""
        entry = self.entries.get(digest)
        if entry is None:
            expires_at = inf if caller.expires_at is None else caller.expires_at
            entry = self.entries[digest] = Entry(digest, caller, expires_at, read_at, -inf)
            entry.stored_minute = self.left_minutes.pop(caller.api_key_id, 0)
        self.confirm(entry, read_at, watch)
        return entry

    def confirm(self, entry: Entry, read_at: float, watch: Watch) -> None:
        """Found good again. Believed unasked only if every change since the statement began would have been heard."""
        entry.read_at = read_at
        entry.fresh_until = read_at + TRUSTED_SECONDS if watch.hears_all else -inf

    def refuse(self, digest: Digest, reason: str, now: float) -> None:
        """Found to be nobody's, or no longer good."""
        self.forget(digest)
        if len(self._refused) >= MOST_REFUSED:
            self._refused.clear()
        self._refused[digest] = (reason, now + REFUSED_SECONDS)

    def refusal(self, digest: Digest, now: float) -> str | None:
        """Why this was refused within the last second; None if it was not."""
        reason, until = self._refused.get(digest, (None, -inf))
        return reason if until > now else None

    def forget(self, digest: Digest) -> None:
        entry = self.entries.pop(digest, None)
        if entry is not None and minute(entry.used_at) > entry.stored_minute:
            self.left_minutes[entry.caller.api_key_id] = minute(entry.used_at)

    def changed(self, object_id: str) -> None:
        """A key, workspace or organization changed: nothing read before stands, not even without a database."""
        for watch in self._watches:
            watch.changed_ids.add(object_id)
        self._refused.clear()
        for entry in self.entries.values():
            caller = entry.caller
            if object_id in {caller.api_key_id, caller.workspace_id, caller.organization_id}:
                entry.read_at = entry.fresh_until = -inf

    def begin_hearing(self) -> None:
        self._hears = True

    def stop_hearing(self) -> None:
        """Changes may be missed from now on: every entry has to be read again before it is used."""
        self._hears = False
        for watch in self._watches:
            watch.hears_all = False
        for entry in self.entries.values():
            entry.fresh_until = -inf

    def used_since(self, moment: float) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.used_at >= moment]

    def shrink(self) -> None:
        """Drop the longest unused entries beyond `MOST_KNOWN`."""
        too_many = len(self.entries) - MOST_KNOWN
        if too_many > 0:
            for entry in sorted(self.entries.values(), key=lambda entry: entry.used_at)[:too_many]:
                self.forget(entry.digest)


def minute(epoch_seconds: float) -> int:
    return int(epoch_seconds // 60)
