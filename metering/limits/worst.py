"""The most that a request can cost, from what its body can reach at all. Pure.

Only what can be checked counts: a token is at least a byte, a prompt fits into the context window, an answer into
`max_tokens`. The learned ratio of bytes to tokens is a guess and has no place here.
"""

from dataclasses import dataclass

from metering import catalogue
from metering.pricing import FACTOR_SCALE, PriceRow, PriceTable

IMAGE_TOKENS = 5_000
"""More than the largest image counts, whatever its bytes are: it may be elsewhere, or one colour all over."""
TOOLS_TOKENS = 1_000
"""What the API writes in front of a prompt with tools, or with a format for its answer."""
OWN_TOOL_TOKENS = 8_000
"""What a tool stands for that the body only names: bash, an editor, a computer."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a body can cause. `size` in bytes; `unbounded` names the field that makes an end impossible to tell."""

    size: int
    max_tokens: int
    images: int = 0
    own_tools: int = 0
    has_preamble: bool = False
    has_foreign_content: bool = False
    """Something that is not in the body becomes a part of the prompt: a file, an address, a kind of block unknown."""
    writes_cache: bool = False
    is_fast: bool = False
    is_global: bool = False
    """It excludes inference in one country only, which may cost more."""
    unbounded: str = ""


def prompt_tokens(reach: Reach, context_tokens: int) -> int:
    """No prompt of this body counts more."""
    if reach.has_foreign_content:
        return context_tokens
    seen = reach.size + reach.images * IMAGE_TOKENS + reach.own_tools * OWN_TOOL_TOKENS
    return min(context_tokens, seen + (TOOLS_TOKENS if reach.has_preamble else 0))


def worst_picos(reach: Reach, model: str, at_us: int, table: PriceTable) -> tuple[int | None, str]:
    """The dearest that it can get, in pico-dollars; or None, and the field that has no bound."""
    if reach.unbounded:
        return None, reach.unbounded
    known = catalogue.find(model)
    if known is None or table.row(model, at_us, 0) is None:
        return None, "model"
    prompt = prompt_tokens(reach, known.context_tokens)
    rows = table.reachable(model, at_us, prompt)
    return max(_cost(row, prompt, reach) for row in rows), ""


def _cost(row: PriceRow, prompt: int, reach: Reach) -> int:
    prices = [row.input_picos, row.cache_read_picos]
    if reach.writes_cache:
        prices += [row.cache_write_5m_picos, row.cache_write_1h_picos]
    percent = 100 if reach.is_global else max(100, row.us_factor_percent)
    speed = max(1, row.fast_factor or 1) if reach.is_fast else 1
    scaled = (prompt * max(prices) + reach.max_tokens * row.output_picos) * percent * speed * 2
    return -(-scaled // FACTOR_SCALE) + _ROUNDING


_ROUNDING = 5
"""Each of five token classes is rounded on its own."""
