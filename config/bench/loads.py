"""The loads of the benchmark and the bytes that ask for them: pure.

How a stream is to be paced travels in `metadata.user_id`, because a proxy passes the body through untouched.
"""

import re
from dataclasses import dataclass, replace

KEY_VARIABLE = "TOLLGATE_BENCH_KEY"
"""The environment variable that hands the load generator its key."""
MODEL = "claude-sonnet-4-5"
EVENTS_PER_SECOND = 10
PACED_INTERVAL_MS = 1000 // EVENTS_PER_SECOND

_PACE = re.compile(rb"events=(\d+) interval_ms=(\d+)")
_MODEL = re.compile(rb'"model":\s*"([^"\\]{1,100})"')


@dataclass(frozen=True, slots=True)
class Load:
    """`connections` requests in flight at once; a stream has `events` events, `interval_ms` apart (0: all at once)."""

    name: str
    connections: int
    events: int = 0
    interval_ms: int = 0

    @property
    def is_stream(self) -> bool:
        return self.events > 0

    @property
    def is_paced(self) -> bool:
        return self.interval_ms > 0

    def lasting(self, seconds: float) -> "Load":
        """The same load, its paced streams long enough to stay open for `seconds`."""
        return replace(self, events=int(seconds * 1000 / self.interval_ms) + 1) if self.is_paced else self


JSON = Load("json", connections=64)
SSE = Load("sse", connections=64, events=60)
PACED = Load("paced", connections=500, events=100, interval_ms=PACED_INTERVAL_MS)
LOADS = {load.name: load for load in (JSON, SSE, PACED)}


def body(load: Load) -> bytes:
    """A small, ordinary Messages request of about 300 bytes."""
    return (
        b'{"model":"%s","max_tokens":1024,%s"metadata":{"user_id":"events=%d interval_ms=%d"},'
        b'"system":"You are a helpful assistant. Answer briefly.","messages":[{"role":"user",'
        b'"content":"In two or three sentences: why does the sky look blue at noon and red in the evening?"}]}'
    ) % (MODEL.encode(), b'"stream":true,' if load.is_stream else b"", load.events, load.interval_ms)


def request(load: Load, *, host: str, key: str) -> bytes:
    """The whole HTTP request, ready to be written again and again on a kept-alive connection."""
    payload = body(load)
    head = (
        f"POST /v1/messages HTTP/1.1\r\nhost: {host}\r\nx-api-key: {key}\r\nanthropic-version: 2023-06-01\r\n"
        f"accept: application/json\r\ncontent-type: application/json\r\nuser-agent: tollgate-bench\r\n"
        f"content-length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


def asked(payload: bytes) -> tuple[bytes, int, int]:
    """What a request body asks for: model, events (0: one JSON answer) and milliseconds between events."""
    model = _MODEL.search(payload)
    name = model.group(1) if model else MODEL.encode()
    if b'"stream":true' not in payload and b'"stream": true' not in payload:
        return name, 0, 0
    pace = _PACE.search(payload)
    return (name, int(pace.group(1)), int(pace.group(2))) if pace else (name, SSE.events, 0)
