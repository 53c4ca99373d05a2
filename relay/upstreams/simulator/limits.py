"""Rate-limit headers as the real upstream sends them: about the operator's account, so no tenant may ever see them."""

from datetime import UTC, datetime
from functools import lru_cache

ORGANIZATION_ID = "5117a70e-0000-4000-8000-51b01a7e5a11"
WORKSPACE_ID = "wrkspc_01SimuLatorWorkspace111111"

_LIMITS = {"requests": 4_000, "tokens": 2_400_000, "input-tokens": 2_000_000, "output-tokens": 400_000}

Headers = list[tuple[bytes, bytes]]


def rate_headers(now: float) -> Headers:
    """All buckets nearly full; `now` in seconds since the epoch."""
    return list(_rate_headers(int(now) + 1))


@lru_cache(maxsize=2)
def _rate_headers(second: int) -> Headers:
    reset = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers: Headers = []
    for name, limit in _LIMITS.items():
        for what, value in (("limit", limit), ("remaining", limit - limit // 1_000), ("reset", reset)):
            headers.append((f"anthropic-ratelimit-{name}-{what}".encode(), str(value).encode()))
    return headers
