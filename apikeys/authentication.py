"""Whose key is this? Answered from memory when that is safe, from PostgreSQL when it is not.

A worker believes what it read for 5 s, and keeps reading while a key is in use. It hears of every change by NOTIFY, so
that a revoked key stops within a moment; polls bound that to 5 s if a notification is lost. While notifications cannot
be heard, each use asks the database. While that is away, what was read within 60 s stands; then nobody can know.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from django.conf import settings

from apikeys import channels, keys
from apikeys.bad_keys import BadKeys
from apikeys.caller import Caller
from apikeys.database import Session
from apikeys.errors import InvalidKey, KeyStoreUnavailable, TooManyBadKeys
from apikeys.key_reader import KeyReader
from apikeys.known_keys import Digest, Entry, KnownKeys
from apikeys.last_use import LastUse
from apikeys.notifications import Listener

STANDING_SECONDS = 60.0
POLL_SECONDS = 2.0
POLL_WHILE_AWAY_SECONDS = 0.25
IDLE_SECONDS = 120.0
"""A key unused for so long is no longer polled, and read again at its next use."""

log = logging.getLogger(__name__)


class Authenticator:
    """One for each worker. `listener` is the worker's, started and stopped by it.

    `wall_clock` gives epoch seconds and decides on expiry; `clock` is monotonic and decides how old knowledge is.
    """

    def __init__(
        self,
        listener: Listener,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listener = listener
        self._wall_clock = wall_clock
        self._clock = clock
        self._digest = keys.Digester(settings.KEY_PEPPER)
        self._known = KnownKeys()
        self._entries = self._known.entries
        self._bad_keys = BadKeys()
        self._session = Session()
        self._reader = KeyReader(self._session, self._known, clock)
        self._last_use = LastUse(self._known)
        self._wake = asyncio.Event()
        self._is_running = False
        self._polling: asyncio.Task[None] | None = None
        listener.subscribe(channels.KEYS, self._known.changed)
        listener.on_lost(self._stop_hearing)
        listener.on_restored(self._begin_hearing)

    def cached(self, secret: str, now: float) -> Caller | None:
        """The caller, if that is known without asking anybody (about 2 us); else `authenticate` finds out.

        `now` is epoch seconds.
        """
        entry = self._entries.get(self._digest(secret))
        if entry is None or self._clock() >= entry.fresh_until or now >= entry.expires_at:
            return None
        entry.used_at = now
        return entry.caller

    async def authenticate(self, secret: str, address: str) -> Caller:
        """The caller. Raises `InvalidKey`, `TooManyBadKeys`, or `KeyStoreUnavailable` when nobody can know now."""
        now = self._wall_clock()
        caller = self.cached(secret, now)
        if caller is not None:
            return caller
        if not keys.looks_valid(secret):
            raise self._guess(address, "malformed")
        digest = self._digest(secret)
        if digest not in self._entries:
            self._admit_stranger(digest, address)
        entry = await self._read(digest)
        if entry is None:
            raise self._refusal(digest, address)
        if now >= entry.expires_at:
            self._known.refuse(digest, "expired", self._clock())
            raise InvalidKey("expired")
        entry.used_at = now
        return entry.caller

    async def start(self) -> None:
        """Returns at once; a database that is away is waited for in the background."""
        self._is_running = True
        self._polling = asyncio.create_task(self._poll(), name="key poll")
        self._last_use.start()

    async def stop(self) -> None:
        """Writes the last uses, if the database answers. What is not cached cannot be checked any more."""
        self._is_running = False
        self._wake.set()
        await self._session.close()
        await self._reader.stop()
        await self._last_use.stop()
        if self._polling is not None:
            await self._polling

    def _admit_stranger(self, digest: Digest, address: str) -> None:
        """Only a key that nobody knows meets the limiter, so that a neighbour's mistakes stop no good key."""
        now = self._clock()
        if self._known.refusal(digest, now):
            raise self._refusal(digest, address)
        wait_seconds = self._bad_keys.retry_after_seconds(address, now)
        if wait_seconds:
            raise TooManyBadKeys(wait_seconds)

    async def _read(self, digest: Digest) -> Entry | None:
        """Asks the database, unless it is known to be away; then what was read lately stands."""
        if not self._session.is_away:
            try:
                return await self._reader.read(digest)
            except KeyStoreUnavailable:
                self._wake.set()
        entry = self._entries.get(digest)
        if entry is None or self._clock() - entry.read_at >= STANDING_SECONDS:
            raise KeyStoreUnavailable("keys cannot be checked at the moment")
        return entry

    def _refusal(self, digest: Digest, address: str) -> InvalidKey | TooManyBadKeys:
        """How to answer a key that was refused just now. One that was good once is no guess, however often it comes."""
        reason = self._known.refusal(digest, self._clock()) or "unknown"
        return self._guess(address, reason) if reason == "unknown" else InvalidKey(reason)

    def _guess(self, address: str, reason: str) -> InvalidKey | TooManyBadKeys:
        """Counts one bad key against the address, and says how to answer it."""
        now = self._clock()
        wait_seconds = self._bad_keys.retry_after_seconds(address, now)
        if wait_seconds:
            return TooManyBadKeys(wait_seconds)
        self._bad_keys.count(address, now)
        return InvalidKey(reason)

    async def _poll(self) -> None:
        while self._is_running:
            self._wake.clear()
            try:
                await self._reader.reread(self._known.used_since(self._wall_clock() - IDLE_SECONDS))
            except KeyStoreUnavailable:
                pass  # the session has logged it; entries go stale by themselves
            except Exception:
                log.exception("a poll of keys failed")
            self._known.shrink()
            await self._pause(POLL_WHILE_AWAY_SECONDS if self._session.is_away else POLL_SECONDS)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _begin_hearing(self) -> None:
        self._known.begin_hearing()
        self._wake.set()

    def _stop_hearing(self) -> None:
        self._known.stop_hearing()
        self._wake.set()
