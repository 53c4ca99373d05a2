"""What one measurement found. Pure."""

from dataclasses import dataclass
from enum import StrEnum

TOLLGATE, NGINX, DIRECT = "tollgate", "nginx", "direct"


class Stage(StrEnum):
    """What a measurement is for."""

    WARM_UP = "warm-up"
    FULL = "full"  # as many requests as are answered
    HALF = "half"  # at half of what Tollgate can do
    QUIET = "quiet"  # the same again, before pages are asked for
    PAGES = "pages"  # while pages of the console are asked for


@dataclass(frozen=True, slots=True)
class Measurement:
    """Requests, events and the `*_cpu_seconds` of web worker, generator and mock are those of the window of `seconds`.

    PostgreSQL and the other processes work behind the answers: their time is that of the whole load, until all is
    written, and belongs to all requests `sent`. The worker `waited` while it was ready and others had its core.
    `rate` None means as fast as answers come. Times are milliseconds.
    """

    target: str
    load: str
    stage: Stage
    rate: float | None
    seconds: float
    requests: int
    events: int
    web_cpu_seconds: float
    web_waited_seconds: float
    generator_cpu_seconds: float
    mock_cpu_seconds: float
    postgres_cpu_seconds: float
    other_cpu_seconds: float
    memory_growth_kb: int
    sent: int
    failures: dict[str, int]
    latency_ms: dict[str, float] | None
    first_byte_ms: dict[str, float] | None
    event_delay_ms: dict[str, float] | None
