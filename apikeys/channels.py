"""The names of the NOTIFY channels, in one place because who sends and who listens live far apart."""

KEYS = "tollgate_keys"
"""Payload: the id of an API key, a workspace or an organization whose state changed."""
UPSTREAMS = "tollgate_upstreams"
PRICES = "tollgate_prices"
USAGE = "tollgate_usage"
"""Sent once for each shipped batch."""
LIMITS = "tollgate_limits"
"""Payload: the id of an organization whose limits changed."""

ALL = (KEYS, UPSTREAMS, PRICES, USAGE, LIMITS)
