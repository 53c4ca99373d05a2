"""Why a request may not run. Pure: what each looks like on the wire is the relay's business.

A `scope` is `org:<uuid>`, `ws:<workspace id>` or `key:<api key id>`; money is whole pico-dollars (1e-12 USD).
"""

from dataclasses import dataclass
from datetime import datetime


class LimitReached(Exception):
    """Some limit of the request is used up; nothing was taken from any other."""


@dataclass
class RateLimited(LimitReached):
    """A minute's allowance is used up. `model_class` is empty for a bucket over all models."""

    scope: str
    model_class: str
    kind: str
    capacity: int
    retry_after_seconds: int
    reset_at: datetime
    """When the bucket is full again, if nothing else is taken."""


@dataclass
class ConcurrencyReached(LimitReached):
    """As many requests are running as may."""

    scope: str
    capacity: int


@dataclass
class SpendReached(LimitReached):
    """What may be spent is spent. `period` is `month`, `day` or `always`; credit never resumes by itself."""

    scope: str
    period: str
    is_tier_cap: bool = False
    resumes_at: datetime | None = None


@dataclass
class SpendHeld(LimitReached):
    """What is left is held by requests that run; it may come free any moment."""

    scope: str
    period: str


@dataclass
class CostUnbounded(LimitReached):
    """A strict limit holds, and nobody can say how dear this request gets. `field` is what makes it so."""

    field: str


@dataclass
class CostTooLarge(LimitReached):
    """The worst case alone is more than a strict limit. `field` is what to lower."""

    scope: str
    cost_picos: int
    limit_picos: int
    field: str


@dataclass
class LimitsUnavailable(LimitReached):
    """The centre does not answer, and what this process held has run out."""

    retry_after: int = 1
