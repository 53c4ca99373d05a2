"""The usage tiers as they are shipped: what each allows, and when an organization moves up. Pure data.

The migration copies it into tables, and there the operator edits it; these are the numbers of a new installation.
Two ready-made sets: the tiers of today, and the classic Tier 1 to 4. Classes without published numbers have those of
Haiku 3.5. Evaluation's numbers, its batch and counting limits and the thresholds of today's tiers are our own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from metering.catalogue import MODELS
from metering.limits.scopes import KINDS

PICOS = 10**12
"""Of a dollar."""

FALLBACK_CLASS = "Haiku 3.5"
"""Whose numbers a class without published ones has, and whose buckets a model that we do not know uses."""

CLASSES: tuple[str, ...] = tuple(dict.fromkeys(model.rate_class for model in MODELS))

RESOURCES = ("batch_requests", "batch_queue", "count_tokens", "files")
"""Limits beside Messages: requests a minute to Batches, batch requests waiting, count_tokens and Files a minute."""

FILES_RPM = 500


class Rates(NamedTuple):
    """A minute of one model class."""

    requests: int
    input_tokens: int
    output_tokens: int


class Resources(NamedTuple):
    """Beside Messages; in the order of `RESOURCES`."""

    batch_requests: int
    batch_queue: int
    count_tokens: int
    files: int = FILES_RPM


@dataclass(frozen=True, slots=True)
class Terms:
    """What a tier allows. None: no limit. `rank` orders a family, the lowest first."""

    name: str
    label: str
    family: str
    rank: int
    monthly_usd: int | None
    resources: Resources | None
    rates: dict[str, Rates]

    def rates_of(self, model_class: str) -> Rates | None:
        """None: this tier limits no class."""
        return self.rates.get(model_class) or self.rates.get(FALLBACK_CLASS)


@dataclass(frozen=True, slots=True)
class Rule:
    """An organization moves from one tier to the next when all of this is reached; dollars and days."""

    leaves: str
    enters: str
    spent_usd: int = 0
    age_days: int = 0
    bought_usd: int = 0


_FABLE = {
    "start": Rates(1_000, 500_000, 100_000),
    "build": Rates(2_000, 1_500_000, 300_000),
    "scale": Rates(4_000, 4_000_000, 800_000),
}
_OPUS = {
    "start": Rates(1_000, 2_000_000, 400_000),
    "build": Rates(5_000, 5_000_000, 1_000_000),
    "scale": Rates(10_000, 10_000_000, 2_000_000),
}
_OLD_HAIKU = {
    "start": Rates(1_000, 100_000, 20_000),
    "build": Rates(2_000, 200_000, 40_000),
    "scale": Rates(4_000, 400_000, 80_000),
}
_LIKE_OPUS = (
    *("Opus 5.5", "Sonnet 5.5", "Haiku 5.5"),
    *("Opus 5", "Sonnet 5", "Opus 4.x", "Sonnet 4.x", "Haiku 4.5"),
)


def _today(tier: str) -> dict[str, Rates]:
    return {
        **dict.fromkeys(("Fable 5.x", "Mythos 5.x"), _FABLE[tier]),
        **dict.fromkeys(_LIKE_OPUS, _OPUS[tier]),
        FALLBACK_CLASS: _OLD_HAIKU[tier],
    }


_CLASSIC_1 = {
    "Opus 4.x": Rates(50, 500_000, 80_000),
    "Sonnet 4.x": Rates(50, 30_000, 8_000),
    "Sonnet 3.x": Rates(50, 20_000, 8_000),
    "Haiku 4.5": Rates(50, 50_000, 10_000),
    "Haiku 3.5": Rates(50, 50_000, 10_000),
}
_CLASSIC_2 = {
    "Opus 4.x": Rates(1_000, 2_000_000, 200_000),
    "Sonnet 4.x": Rates(1_000, 450_000, 90_000),
    "Sonnet 3.x": Rates(1_000, 40_000, 16_000),
    "Haiku 4.5": Rates(1_000, 450_000, 90_000),
    "Haiku 3.5": Rates(1_000, 100_000, 20_000),
}
_CLASSIC_3 = {
    "Opus 4.x": Rates(2_000, 5_000_000, 400_000),
    "Sonnet 4.x": Rates(2_000, 800_000, 160_000),
    "Sonnet 3.x": Rates(2_000, 80_000, 32_000),
    "Haiku 4.5": Rates(2_000, 1_000_000, 200_000),
    "Haiku 3.5": Rates(2_000, 200_000, 40_000),
}
_CLASSIC_4 = {
    "Opus 4.x": Rates(4_000, 10_000_000, 800_000),
    "Sonnet 4.x": Rates(4_000, 2_000_000, 400_000),
    "Sonnet 3.x": Rates(4_000, 200_000, 80_000),
    "Haiku 4.5": Rates(4_000, 4_000_000, 800_000),
    "Haiku 3.5": Rates(4_000, 400_000, 80_000),
}

TODAY, CLASSIC = "today", "classic"
_T1, _T2 = Resources(50, 100_000, 100), Resources(1_000, 200_000, 2_000)
_T3, _T4 = Resources(2_000, 300_000, 4_000), Resources(4_000, 500_000, 8_000)

TIERS: tuple[Terms, ...] = (
    Terms("evaluation", "Evaluation", TODAY, 0, 100, _T1, {FALLBACK_CLASS: Rates(50, 30_000, 8_000)}),
    Terms("start", "Start", TODAY, 1, 500, _T2, _today("start")),
    Terms("build", "Build", TODAY, 2, 1_000, _T3, _today("build")),
    Terms("scale", "Scale", TODAY, 3, 200_000, _T4, _today("scale")),
    Terms("custom", "Custom", TODAY, 4, None, None, {}),
    Terms("tier_1", "Tier 1", CLASSIC, 0, 100, _T1, _CLASSIC_1),
    Terms("tier_2", "Tier 2", CLASSIC, 1, 500, _T2, _CLASSIC_2),
    Terms("tier_3", "Tier 3", CLASSIC, 2, 1_000, _T3, _CLASSIC_3),
    Terms("tier_4", "Tier 4", CLASSIC, 3, 200_000, _T4, _CLASSIC_4),
)

RULES: tuple[Rule, ...] = (
    Rule("evaluation", "start", spent_usd=5, age_days=7),
    Rule("start", "build", spent_usd=250, age_days=14),
    Rule("build", "scale", spent_usd=1_000, age_days=30),
    Rule("tier_1", "tier_2", bought_usd=40),
    Rule("tier_2", "tier_3", bought_usd=200),
    Rule("tier_3", "tier_4", bought_usd=400),
)
"""Nobody moves into Custom alone."""


def shipped_tiers() -> Iterator[dict[str, object]]:
    """Rows of the table of tiers."""
    for tier in TIERS:
        picos = None if tier.monthly_usd is None else tier.monthly_usd * PICOS
        yield {
            "name": tier.name,
            "label": tier.label,
            "family": tier.family,
            "rank": tier.rank,
            "monthly_picos": picos,
        }


def shipped_limits() -> Iterator[dict[str, object]]:
    """Rows of the tiers' numbers: each class that we know, and the resources."""
    for tier in TIERS:
        for model_class in CLASSES:
            rates = tier.rates_of(model_class)
            for kind, capacity in zip(KINDS, rates or (), strict=False):
                yield {"tier_id": tier.name, "model_class": model_class, "kind": kind, "capacity": capacity}
        for resource, capacity in zip(RESOURCES, tier.resources or (), strict=False):
            yield {"tier_id": tier.name, "model_class": "", "kind": resource, "capacity": capacity}


def shipped_rules() -> Iterator[dict[str, object]]:
    """Rows of the rules by which organizations advance."""
    for rule in RULES:
        yield {
            "leaves_id": rule.leaves,
            "enters_id": rule.enters,
            "spent_picos": rule.spent_usd * PICOS,
            "age_days": rule.age_days,
            "bought_picos": rule.bought_usd * PICOS,
        }
