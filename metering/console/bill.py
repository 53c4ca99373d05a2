"""One request's cost, line by line: so many tokens of a kind at so much. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_KINDS = (
    ("Input, not cached", "uncached_input_tokens", "uncached_input_picos"),
    ("Cache write, 5 minutes", "cache_creation_5m_input_tokens", "cache_creation_5m_picos"),
    ("Cache write, 1 hour", "cache_creation_1h_input_tokens", "cache_creation_1h_picos"),
    ("Cache read", "cache_read_input_tokens", "cache_read_picos"),
    ("Output", "output_tokens", "output_picos"),
    ("Web searches", "web_search_requests", "web_search_picos"),
)
_ALWAYS = {"uncached_input_tokens", "output_tokens"}


@dataclass(frozen=True, slots=True)
class BillLine:
    """`picos_each` is what one of them came to, bands, speed and tier included; None when there was none."""

    kind: str
    count: int
    picos_each: Decimal | None
    picos: int


def bill(record: Any) -> list[BillLine]:
    """Lines for what was used; input and output stand there even when they are nothing."""
    lines = []
    for kind, count_name, picos_name in _KINDS:
        count, picos = getattr(record, count_name), int(getattr(record, picos_name))
        if count or picos or count_name in _ALWAYS:
            lines.append(BillLine(kind, count, Decimal(picos) / count if count else None, picos))
    return lines
