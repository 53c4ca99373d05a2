"""One request as the endpoints see it, and what they give back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from relay.upstreams.simulator.counting.cache import Cache
from relay.upstreams.simulator.head import Head
from relay.upstreams.simulator.script import Script

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose head was found good. `now` is seconds since the epoch; `owner` tells credentials apart."""

    head: Head
    body: Any
    script: Script
    betas: frozenset[str]
    owner: str
    now: float
    cache: Cache


@dataclass(slots=True)
class Reply:
    """Either `payload`, or the `events` of a stream."""

    payload: Json | None = None
    events: Iterator[Json] | None = None
