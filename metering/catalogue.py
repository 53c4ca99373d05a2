"""The models we know: names, sizes, what each accepts. Pure data; prices are in `price_list`, with dates.

The facts are those of 2026-11-20. Retired models stay: they are priced, found by id and answered by the simulator.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Lifecycle = Literal["active", "deprecated", "retired"]
FastMode = Literal["refused", "standard", "fast"]

_ALWAYS = frozenset({"adaptive"})
_OPTIONAL = frozenset({"adaptive", "disabled"})
_EITHER = frozenset({"adaptive", "enabled", "disabled"})
_BUDGET = frozenset({"enabled", "disabled"})
_BETWEEN = frozenset({"adaptive", "between_tools"})
_NEVER = frozenset({"disabled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model. `generation` orders models by ability, (4, 6) for the 4.6 ones, whatever their line.

    `thinking` holds the accepted `thinking.type` values. `fast_mode` says what `speed: "fast"` does: refused, run and
    billed as standard, or fast. Dates are days in UTC; `deprecated_at` is None where the day is not known.
    """

    id: str
    display_name: str
    created: date
    line: Literal["haiku", "sonnet", "opus", "fable", "mythos"]
    generation: tuple[int, int]
    rate_class: str
    thinking: frozenset[str]
    minimum_cache_tokens: int
    context_tokens: int = 1_000_000
    max_output_tokens: int = 128_000
    aliases: tuple[str, ...] = ()
    lifecycle: Lifecycle = "active"
    deprecated_at: date | None = None
    retires_at: date | None = None
    fast_mode: FastMode = "refused"
    accepts_forced_tools: bool = True

    @property
    def always_thinks(self) -> bool:
        """No request can turn thinking off; leaving `thinking` out means adaptive."""
        return self.thinking == _ALWAYS

    @property
    def has_us_inference(self) -> bool:
        """`inference_geo` is accepted, and "us" costs more. Earlier models answer 400."""
        return self.generation >= (4, 6)

    @property
    def accepts_sampling(self) -> bool:
        """`temperature`, `top_p` and `top_k` may differ from their defaults (under version 2023-06-01)."""
        return self.generation < (4, 7)

    @property
    def accepts_prefill(self) -> bool:
        """The last message may be the assistant's."""
        return self.generation < (4, 6)

    @property
    def accepts_system_turns(self) -> bool:
        """Messages of role `system` may stand between the others."""
        return self.generation >= (4, 8)

    @property
    def has_dense_tokenizer(self) -> bool:
        """Counts about 30 % more tokens for the same text than models before 4.7."""
        return self.generation >= (4, 7)

    @property
    def efforts(self) -> tuple[str, ...]:
        """The accepted values of `output_config.effort`; empty where effort is not supported."""
        if self.generation >= (4, 7):
            return ("low", "medium", "high", "xhigh", "max")
        if self.generation >= (4, 6):
            return ("low", "medium", "high", "max")
        return ("low", "medium", "high") if (self.line, self.generation) == ("opus", (4, 5)) else ()


MODELS: tuple[Model, ...] = (
    Model(
        id="claude-fable-5-2",
        display_name="Claude Fable 5.2",
        created=date(2026, 11, 9),
        line="fable",
        generation=(5, 2),
        rate_class="Fable 5.x",
        thinking=_ALWAYS,
        minimum_cache_tokens=512,
        fast_mode="fast",
        accepts_forced_tools=False,
    ),
    Model(
        id="claude-mythos-5-2",
        display_name="Claude Mythos 5.2",
        created=date(2026, 11, 9),
        line="mythos",
        generation=(5, 2),
        rate_class="Mythos 5.x",
        thinking=_ALWAYS,
        minimum_cache_tokens=512,
        accepts_forced_tools=False,
    ),
    Model(
        id="claude-haiku-5-5",
        display_name="Claude Haiku 5.5",
        created=date(2026, 10, 7),
        line="haiku",
        generation=(5, 5),
        rate_class="Haiku 5.5",
        thinking=_OPTIONAL,
        minimum_cache_tokens=512,
    ),
    Model(
        id="claude-sonnet-5-5",
        display_name="Claude Sonnet 5.5",
        created=date(2026, 9, 28),
        line="sonnet",
        generation=(5, 5),
        rate_class="Sonnet 5.5",
        thinking=_BETWEEN,
        minimum_cache_tokens=512,
        accepts_forced_tools=False,
    ),
    Model(
        id="claude-opus-5-5",
        display_name="Claude Opus 5.5",
        created=date(2026, 9, 22),
        line="opus",
        generation=(5, 5),
        rate_class="Opus 5.5",
        thinking=_ALWAYS,
        minimum_cache_tokens=512,
        fast_mode="fast",
        accepts_forced_tools=False,
    ),
    Model(
        id="claude-fable-5-1",
        display_name="Claude Fable 5.1",
        created=date(2026, 9, 1),
        line="fable",
        generation=(5, 1),
        rate_class="Fable 5.x",
        thinking=_ALWAYS,
        minimum_cache_tokens=512,
        accepts_forced_tools=False,
    ),
    Model(
        id="claude-mythos-5-1",
        display_name="Claude Mythos 5.1",
        created=date(2026, 9, 1),
        line="mythos",
        generation=(5, 1),
        rate_class="Mythos 5.x",
        thinking=_ALWAYS,
        minimum_cache_tokens=512,
        accepts_forced_tools=False,
    ),
    Model(
        id="claude-opus-5",
        display_name="Claude Opus 5",
        created=date(2026, 7, 24),
        line="opus",
        generation=(5, 0),
        rate_class="Opus 5",
        thinking=_OPTIONAL,
        minimum_cache_tokens=512,
        fast_mode="fast",
    ),
    Model(
        id="claude-sonnet-5",
        display_name="Claude Sonnet 5",
        created=date(2026, 6, 30),
        line="sonnet",
        generation=(5, 0),
        rate_class="Sonnet 5",
        thinking=_OPTIONAL,
        minimum_cache_tokens=1_024,
    ),
    Model(
        id="claude-fable-5",
        display_name="Claude Fable 5",
        created=date(2026, 6, 9),
        line="fable",
        generation=(5, 0),
        rate_class="Fable 5.x",
        thinking=_ALWAYS,
        minimum_cache_tokens=512,
    ),
    Model(
        id="claude-mythos-5",
        display_name="Claude Mythos 5",
        created=date(2026, 6, 9),
        line="mythos",
        generation=(5, 0),
        rate_class="Mythos 5.x",
        thinking=_ALWAYS,
        minimum_cache_tokens=512,
    ),
    Model(
        id="claude-opus-4-8",
        display_name="Claude Opus 4.8",
        created=date(2026, 5, 28),
        line="opus",
        generation=(4, 8),
        rate_class="Opus 4.x",
        thinking=_OPTIONAL,
        minimum_cache_tokens=1_024,
        fast_mode="fast",
    ),
    Model(
        id="claude-opus-4-7",
        display_name="Claude Opus 4.7",
        created=date(2026, 4, 16),
        line="opus",
        generation=(4, 7),
        rate_class="Opus 4.x",
        thinking=_OPTIONAL,
        minimum_cache_tokens=2_048,
    ),
    Model(
        id="claude-mythos-preview",
        display_name="Claude Mythos Preview",
        created=date(2026, 4, 7),
        line="mythos",
        generation=(4, 7),
        rate_class="Mythos Preview",
        thinking=_EITHER,  # the SDK warns about "enabled" there and lets it pass
        minimum_cache_tokens=2_048,
        lifecycle="deprecated",
        retires_at=date(2026, 6, 30),
    ),
    Model(
        id="claude-sonnet-4-6",
        display_name="Claude Sonnet 4.6",
        created=date(2026, 2, 17),
        line="sonnet",
        generation=(4, 6),
        rate_class="Sonnet 4.x",
        thinking=_EITHER,
        minimum_cache_tokens=1_024,
    ),
    Model(
        id="claude-opus-4-6",
        display_name="Claude Opus 4.6",
        created=date(2026, 2, 5),
        line="opus",
        generation=(4, 6),
        rate_class="Opus 4.x",
        thinking=_EITHER,
        minimum_cache_tokens=4_096,
        fast_mode="standard",
    ),
    Model(
        id="claude-opus-4-5-20251101",
        aliases=("claude-opus-4-5",),
        display_name="Claude Opus 4.5",
        created=date(2025, 11, 24),
        line="opus",
        generation=(4, 5),
        rate_class="Opus 4.x",
        thinking=_BUDGET,
        minimum_cache_tokens=4_096,
        context_tokens=200_000,
        max_output_tokens=64_000,
    ),
    Model(
        id="claude-haiku-4-5-20251001",
        aliases=("claude-haiku-4-5",),
        display_name="Claude Haiku 4.5",
        created=date(2025, 10, 15),
        line="haiku",
        generation=(4, 5),
        rate_class="Haiku 4.5",
        thinking=_BUDGET,
        minimum_cache_tokens=4_096,
        context_tokens=200_000,
        max_output_tokens=64_000,
    ),
    Model(
        id="claude-sonnet-4-5-20250929",
        aliases=("claude-sonnet-4-5",),
        display_name="Claude Sonnet 4.5",
        created=date(2025, 9, 29),
        line="sonnet",
        generation=(4, 5),
        rate_class="Sonnet 4.x",
        thinking=_BUDGET,
        minimum_cache_tokens=1_024,
        context_tokens=200_000,
        max_output_tokens=64_000,
        lifecycle="deprecated",
        retires_at=date(2026, 11, 30),
    ),
    Model(
        id="claude-opus-4-1-20250805",
        aliases=("claude-opus-4-1",),
        display_name="Claude Opus 4.1",
        created=date(2025, 8, 5),
        line="opus",
        generation=(4, 1),
        rate_class="Opus 4.x",
        thinking=_BUDGET,
        minimum_cache_tokens=1_024,
        context_tokens=200_000,
        max_output_tokens=32_000,
        lifecycle="retired",
        retires_at=date(2026, 8, 5),
    ),
    Model(
        id="claude-opus-4-20250514",
        aliases=("claude-opus-4-0",),
        display_name="Claude Opus 4",
        created=date(2025, 5, 14),
        line="opus",
        generation=(4, 0),
        rate_class="Opus 4.x",
        thinking=_BUDGET,
        minimum_cache_tokens=1_024,
        context_tokens=200_000,
        max_output_tokens=32_000,
        lifecycle="retired",
        retires_at=date(2026, 6, 15),
    ),
    Model(
        id="claude-sonnet-4-20250514",
        aliases=("claude-sonnet-4-0",),
        display_name="Claude Sonnet 4",
        created=date(2025, 5, 14),
        line="sonnet",
        generation=(4, 0),
        rate_class="Sonnet 4.x",
        thinking=_BUDGET,
        minimum_cache_tokens=1_024,
        context_tokens=200_000,
        max_output_tokens=64_000,
        lifecycle="retired",
        retires_at=date(2026, 6, 15),
    ),
    Model(
        id="claude-haiku-4-20250514",  # never shipped; a document names it, so it is answered like Haiku 4.5
        display_name="Claude Haiku 4",
        created=date(2025, 5, 14),
        line="haiku",
        generation=(4, 0),
        rate_class="Haiku 4.5",
        thinking=_BUDGET,
        minimum_cache_tokens=4_096,
        context_tokens=200_000,
        max_output_tokens=64_000,
        lifecycle="retired",
    ),
    Model(
        id="claude-3-7-sonnet-20250219",
        aliases=("claude-3-7-sonnet-latest",),
        display_name="Claude Sonnet 3.7",
        created=date(2025, 2, 19),
        line="sonnet",
        generation=(3, 7),
        rate_class="Sonnet 3.x",
        thinking=_BUDGET,
        minimum_cache_tokens=1_024,
        context_tokens=200_000,
        max_output_tokens=64_000,
        lifecycle="retired",
        deprecated_at=date(2025, 10, 28),
        retires_at=date(2026, 2, 19),
    ),
    Model(
        id="claude-3-5-sonnet-20241022",
        aliases=("claude-3-5-sonnet-latest",),
        display_name="Claude Sonnet 3.5",
        created=date(2024, 10, 22),
        line="sonnet",
        generation=(3, 5),
        rate_class="Sonnet 3.x",
        thinking=_NEVER,
        minimum_cache_tokens=1_024,
        context_tokens=200_000,
        max_output_tokens=8_192,
        lifecycle="retired",
        deprecated_at=date(2025, 8, 13),
        retires_at=date(2025, 10, 28),
    ),
    Model(
        id="claude-3-5-haiku-20241022",
        aliases=("claude-3-5-haiku-latest",),
        display_name="Claude Haiku 3.5",
        created=date(2024, 10, 22),
        line="haiku",
        generation=(3, 5),
        rate_class="Haiku 3.5",
        thinking=_NEVER,
        minimum_cache_tokens=2_048,
        context_tokens=200_000,
        max_output_tokens=8_192,
        lifecycle="retired",
        retires_at=date(2026, 2, 19),
    ),
    Model(
        id="claude-3-haiku-20240307",
        display_name="Claude Haiku 3",
        created=date(2024, 3, 7),
        line="haiku",
        generation=(3, 0),
        rate_class="Haiku 3",
        thinking=_NEVER,
        minimum_cache_tokens=2_048,
        context_tokens=200_000,
        max_output_tokens=4_096,
        lifecycle="retired",
        deprecated_at=date(2026, 2, 19),
        retires_at=date(2026, 4, 20),
    ),
    Model(
        id="claude-3-opus-20240229",
        aliases=("claude-3-opus-latest",),
        display_name="Claude Opus 3",
        created=date(2024, 2, 29),
        line="opus",
        generation=(3, 0),
        rate_class="Opus 3",
        thinking=_NEVER,
        minimum_cache_tokens=1_024,
        context_tokens=200_000,
        max_output_tokens=4_096,
        lifecycle="retired",
        deprecated_at=date(2025, 6, 30),
        retires_at=date(2026, 1, 5),
    ),
)
"""Newest first."""

_BY_NAME = {name: model for model in MODELS for name in (model.id, *model.aliases)}


def find(name: str) -> Model | None:
    """The model of an id or an alias."""
    return _BY_NAME.get(name)
