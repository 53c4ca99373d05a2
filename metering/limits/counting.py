"""What counts as input of a minute. Pure."""

from collections.abc import Mapping
from typing import Any

from metering.pricing import Charge

_COUNTS_CACHE_READS = frozenset({"Haiku 3.5"})
"""The classes of which input that was read from a cache counts like any other."""


def reported_input(model_class: str, usage: Mapping[str, Any]) -> int:
    """Of the raw `usage` of an answer that began; 0 when it does not say."""
    read = _number(usage, "cache_read_input_tokens") if model_class in _COUNTS_CACHE_READS else 0
    return _number(usage, "input_tokens") + _number(usage, "cache_creation_input_tokens") + read


def charged_input(model_class: str, charge: Charge) -> int:
    read = charge.cache_read_input_tokens if model_class in _COUNTS_CACHE_READS else 0
    written = charge.cache_creation_5m_input_tokens + charge.cache_creation_1h_input_tokens
    return charge.uncached_input_tokens + written + read


def _number(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0
