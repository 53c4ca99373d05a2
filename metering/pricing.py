"""What a request costs: integer arithmetic on dated price rows. No clock, no database.

Prices are whole pico-dollars (1e-12 USD) per token: 3 USD per million tokens are 3,000,000. Factors stack by
multiplication: batch 1/2, US inference 110/100, fast mode 2. All are multiplied before anything is divided, and each
token class of a request is rounded once, half to even; with the shipped prices every division is exact.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from metering import catalogue
from metering.usage import Tokens, Usage, read

WEB_SEARCH_PICOS = 10_000_000_000
"""$10 per 1,000 searches. Failed ones are not in the count, fetches are free."""

LONG_CONTEXT_TOKENS = 200_000
LARGEST_PICOS = 10**18
"""A million dollars for one class of one request is the noise of a broken upstream; capped to fit 64 bits."""

FACTOR_SCALE = 200
"""Factors are kept as integers 200 times their value: half of 110 percent is 110."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What one token of `model` costs from `effective_from_us` on, for prompts of more than `above_input_tokens`.

    All rows of one model and one moment together are its price list until the next moment.
    """

    model: str
    effective_from_us: int
    above_input_tokens: int
    input_picos: int
    cache_write_5m_picos: int
    cache_write_1h_picos: int
    cache_read_picos: int
    output_picos: int
    fast_factor: int | None = None
    us_factor_percent: int = 100


class PriceTable:
    """All rows, arranged for look-up. Immutable."""

    __slots__ = ("_lists", "rows")

    def __init__(self, rows: Iterable[PriceRow]) -> None:
        self.rows = tuple(rows)
        newest_first = sorted(self.rows, key=lambda row: (row.effective_from_us, row.above_input_tokens), reverse=True)
        self._lists: dict[str, list[PriceRow]] = {}
        for row in newest_first:
            self._lists.setdefault(row.model, []).append(row)

    def row(self, model: str, at_us: int, prompt_tokens: int) -> PriceRow | None:
        """The row that prices this prompt then; None for a model that had no price. Aliases are understood."""
        rows = self._lists.get(model)
        if rows is None:
            known = catalogue.find(model)
            rows = self._lists.get(known.id, []) if known else []
        # Newest list first, in it the highest band first; a list's lowest band takes whatever is left.
        in_force: PriceRow | None = None
        for row in rows:
            if row.effective_from_us > at_us:
                continue
            if in_force is not None and row.effective_from_us != in_force.effective_from_us:
                break
            in_force = row
            if prompt_tokens > row.above_input_tokens:
                break
        return in_force

    def reachable(self, model: str, at_us: int, prompt_tokens: int) -> list[PriceRow]:
        """The rows that may price prompts of up to `prompt_tokens` then, one for each band; none without a price."""
        highest = self.row(model, at_us, prompt_tokens)
        found: list[PriceRow] = []
        while highest is not None and highest not in found:
            found.append(highest)
            highest = self.row(model, at_us, highest.above_input_tokens)
        return found


@dataclass(slots=True)
class Charge:
    """Counts, costs and dimensions of one attempt, named as the ledger's columns. `cost_picos` is the costs' sum."""

    uncached_input_tokens: int = 0
    cache_creation_5m_input_tokens: int = 0
    cache_creation_1h_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0
    web_search_requests: int = 0
    uncached_input_picos: int = 0
    cache_creation_5m_picos: int = 0
    cache_creation_1h_picos: int = 0
    cache_read_picos: int = 0
    output_picos: int = 0
    web_search_picos: int = 0
    cost_picos: int = 0
    service_tier: str = ""
    context_window: str = ""
    inference_geo: str = ""
    speed: str = ""
    is_unpriced: bool = False


def price(
    usage_raw: Mapping[str, Any], *, model: str, at_us: int, table: PriceTable, stop_reason: str | None = None
) -> Charge:
    """The charge for one raw `usage` of a request that `model` served at `at_us` (microseconds since the epoch).

    Entries of `iterations` replace the totals: each is priced as its own model, by its own prompt length. Everything
    is counted; free are Priority Tier, attempts without output that a fallback replaced, refusals without output.
    """
    usage = read(usage_raw)
    charge = Charge(
        web_search_requests=usage.web_search_requests,
        service_tier=usage.service_tier or "standard",
        inference_geo=usage.inference_geo or "not_available",
        speed=usage.speed or "standard",
    )
    longest_prompt = 0
    for tokens, served_by, is_free in _steps(usage, model, stop_reason):
        prompt_tokens = tokens.prompt_tokens
        longest_prompt = max(longest_prompt, prompt_tokens)
        row = table.row(served_by, at_us, prompt_tokens)
        _count(charge, tokens)
        if row is None:
            charge.is_unpriced = True
        elif not is_free:
            _cost(charge, tokens, row, _factor(row, usage))
    charge.context_window = "200k-1M" if longest_prompt > LONG_CONTEXT_TOKENS else "0-200k"
    _settle(charge)
    return charge


def _steps(usage: Usage, model: str, stop_reason: str | None) -> list[tuple[Tokens, str, bool]]:
    """What was sampled: (tokens, model, whether it is free)."""
    is_free = usage.service_tier == "priority"
    if not usage.iterations:
        return [(usage, model, is_free or (stop_reason == "refusal" and not usage.output_tokens))]
    is_replaced = stop_reason == "refusal" or any(step.kind == "fallback_message" for step in usage.iterations)
    return [
        (step, step.model or model, is_free or (is_replaced and step.kind == "message" and not step.output_tokens))
        for step in usage.iterations
    ]


def _factor(row: PriceRow, usage: Usage) -> int:
    """All multipliers together, times `FACTOR_SCALE`."""
    percent = row.us_factor_percent if usage.inference_geo == "us" else 100
    speed = row.fast_factor or 1 if usage.speed == "fast" else 1
    return percent * speed if usage.service_tier == "batch" else percent * speed * 2


def _count(charge: Charge, tokens: Tokens) -> None:
    charge.uncached_input_tokens += tokens.input_tokens
    charge.cache_creation_5m_input_tokens += tokens.cache_creation_5m_input_tokens
    charge.cache_creation_1h_input_tokens += tokens.cache_creation_1h_input_tokens
    charge.cache_read_input_tokens += tokens.cache_read_input_tokens
    charge.output_tokens += tokens.output_tokens


def _cost(charge: Charge, tokens: Tokens, row: PriceRow, factor: int) -> None:
    """Add one step's costs, still times `FACTOR_SCALE`."""
    charge.uncached_input_picos += tokens.input_tokens * row.input_picos * factor
    charge.cache_creation_5m_picos += tokens.cache_creation_5m_input_tokens * row.cache_write_5m_picos * factor
    charge.cache_creation_1h_picos += tokens.cache_creation_1h_input_tokens * row.cache_write_1h_picos * factor
    charge.cache_read_picos += tokens.cache_read_input_tokens * row.cache_read_picos * factor
    charge.output_picos += tokens.output_tokens * row.output_picos * factor


def _settle(charge: Charge) -> None:
    """Divide each cost by `FACTOR_SCALE`, add the searches, and sum up."""
    charge.uncached_input_picos = _divided(charge.uncached_input_picos)
    charge.cache_creation_5m_picos = _divided(charge.cache_creation_5m_picos)
    charge.cache_creation_1h_picos = _divided(charge.cache_creation_1h_picos)
    charge.cache_read_picos = _divided(charge.cache_read_picos)
    charge.output_picos = _divided(charge.output_picos)
    # Whoever serves a model without a price has no known price for searches either.
    searches = 0 if charge.is_unpriced else charge.web_search_requests
    charge.web_search_picos = min(searches * WEB_SEARCH_PICOS, LARGEST_PICOS)
    charge.cost_picos = (
        charge.uncached_input_picos
        + charge.cache_creation_5m_picos
        + charge.cache_creation_1h_picos
        + charge.cache_read_picos
        + charge.output_picos
        + charge.web_search_picos
    )


def _divided(scaled: int) -> int:
    """`scaled / FACTOR_SCALE`, rounded half to even."""
    whole, rest = divmod(scaled, FACTOR_SCALE)
    rounded_up = 2 * rest > FACTOR_SCALE or (2 * rest == FACTOR_SCALE and whole % 2 == 1)
    return min(whole + rounded_up, LARGEST_PICOS)
