"""The prompt cache: which prefixes a credential sent before, and until when they are kept. The caller has the clock."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from metering.catalogue import Model
from relay.upstreams.simulator.counting.prompt import Part, Prompt
from relay.upstreams.simulator.counting.usage import Cached

SECONDS = {"5m": 300.0, "1h": 3_600.0}
LOOKBACK = 20

_Key = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Prefix:
    """The prompt up to and with one part: its digest, its tokens and the breakpoint on it, if any."""

    digest: bytes
    tokens: int
    ttl: str


@dataclass(slots=True)
class Entry:
    ttl: str
    expires_at: float


class Cache:
    """Prefixes by credential, model and digest; the least recently used go first when there are too many."""

    def __init__(self, maximum_entries: int = 100_000) -> None:
        self._entries: OrderedDict[_Key, Entry] = OrderedDict()
        self._maximum = maximum_entries

    def account(self, prompt: Prompt, *, model: Model, owner: str, mode: Any, now: float) -> Cached:
        """Divide the prompt's tokens into read, written and plain, and remember what was written.

        `mode` is whatever changes the meaning of messages without being one: thinking, tool choice.
        """
        if not any(part.ttl for part in prompt.parts):
            return Cached(prompt.tokens)
        prefixes = list(_prefixes(prompt.parts, mode))
        marks = [
            index for index, prefix in enumerate(prefixes) if prefix.ttl and prefix.tokens >= model.minimum_cache_tokens
        ]
        if not marks:
            return Cached(prompt.tokens)
        hit = self._longest_hit(prefixes, marks, owner=owner, model=model, now=now)
        for index in marks:
            self._store((owner, model.id, prefixes[index].digest), prefixes[index].ttl, now)
        return _divided(prompt.tokens, prefixes, marks, hit)

    def _longest_hit(self, prefixes: list[Prefix], marks: list[int], *, owner: str, model: Model, now: float) -> int:
        """The index of the longest prefix that is kept, looking back 20 parts from every breakpoint; -1 without."""
        for mark in reversed(marks):
            for index in range(mark, max(-1, mark - LOOKBACK - 1), -1):
                key = (owner, model.id, prefixes[index].digest)
                entry = self._entries.get(key)
                if entry is not None and entry.expires_at > now:
                    self._store(key, entry.ttl, now)
                    return index
        return -1

    def _store(self, key: _Key, ttl: str, now: float) -> None:
        known = self._entries.get(key)
        if known is not None and known.expires_at > now and SECONDS[known.ttl] > SECONDS[ttl]:
            ttl = known.ttl
        self._entries[key] = Entry(ttl, now + SECONDS[ttl])
        self._entries.move_to_end(key)
        while len(self._entries) > self._maximum:
            self._entries.popitem(last=False)


def _prefixes(parts: tuple[Part, ...], mode: Any) -> Iterator[Prefix]:
    digest, tokens, in_messages = blake2b(digest_size=16), 0, False
    for part in parts:
        if part.section == "messages" and not in_messages:
            in_messages = True
            digest.update(orjson.dumps(mode))
        digest.update(_canonical(part))
        tokens += part.tokens
        yield Prefix(digest.digest(), tokens, part.ttl)


def _canonical(part: Part) -> bytes:
    """The part without its breakpoint: moving one must not change the prefix."""
    value = part.value
    if part.section != "tools":
        role, block = value
        value = [role, {key: each for key, each in block.items() if key != "cache_control"}]
    return orjson.dumps([part.section, value], option=orjson.OPT_SORT_KEYS)


def _divided(total: int, prefixes: list[Prefix], marks: list[int], hit: int) -> Cached:
    """Up to the hit is read; from there to the last 1-hour breakpoint, then to the last of all, is written."""
    read = prefixes[hit].tokens if hit >= 0 else 0
    last = max(read, prefixes[marks[-1]].tokens)
    hours = [prefixes[mark].tokens for mark in marks if prefixes[mark].ttl == "1h"]
    hour = max([read, *hours])
    return Cached(total - last, read_tokens=read, write_1h_tokens=hour - read, write_5m_tokens=last - hour)
