"""The shipped tiers against the published tables, row by row."""

import pytest

from metering.catalogue import MODELS
from metering.limits import tiers

TIERS = {tier.name: tier for tier in tiers.TIERS}

PUBLISHED = [
    ("start", "Fable 5.x", 1_000, 500_000, 100_000),
    ("build", "Fable 5.x", 2_000, 1_500_000, 300_000),
    ("scale", "Fable 5.x", 4_000, 4_000_000, 800_000),
    ("start", "Mythos 5.x", 1_000, 500_000, 100_000),
    ("scale", "Mythos 5.x", 4_000, 4_000_000, 800_000),
    *[("start", name, 1_000, 2_000_000, 400_000) for name in ("Opus 5", "Opus 4.x", "Sonnet 5", "Sonnet 4.x")],
    *[("build", name, 5_000, 5_000_000, 1_000_000) for name in ("Opus 5", "Opus 4.x", "Sonnet 5", "Haiku 4.5")],
    *[("scale", name, 10_000, 10_000_000, 2_000_000) for name in ("Opus 5.5", "Sonnet 5.5", "Haiku 5.5", "Sonnet 4.x")],
    ("start", "Haiku 3.5", 1_000, 100_000, 20_000),
    ("build", "Haiku 3.5", 2_000, 200_000, 40_000),
    ("scale", "Haiku 3.5", 4_000, 400_000, 80_000),
    ("tier_1", "Opus 4.x", 50, 500_000, 80_000),
    ("tier_1", "Sonnet 4.x", 50, 30_000, 8_000),
    ("tier_1", "Sonnet 3.x", 50, 20_000, 8_000),
    ("tier_2", "Haiku 4.5", 1_000, 450_000, 90_000),
    ("tier_3", "Sonnet 4.x", 2_000, 800_000, 160_000),
    ("tier_4", "Haiku 4.5", 4_000, 4_000_000, 800_000),
    ("tier_4", "Haiku 3.5", 4_000, 400_000, 80_000),
]


@pytest.mark.parametrize(("tier", "model_class", "requests", "input_tokens", "output_tokens"), PUBLISHED)
def test_a_published_row(tier: str, model_class: str, requests: int, input_tokens: int, output_tokens: int) -> None:
    assert TIERS[tier].rates_of(model_class) == (requests, input_tokens, output_tokens)


@pytest.mark.parametrize(
    ("tier", "monthly_usd"),
    [
        ("evaluation", 100),
        ("start", 500),
        ("build", 1_000),
        ("scale", 200_000),
        ("custom", None),
        ("tier_1", 100),
        ("tier_2", 500),
        ("tier_3", 1_000),
        ("tier_4", 200_000),
    ],
)
def test_a_month_s_cap(tier: str, monthly_usd: int | None) -> None:
    assert TIERS[tier].monthly_usd == monthly_usd


@pytest.mark.parametrize(
    ("tier", "batch_requests", "batch_queue", "count_tokens"),
    [("start", 1_000, 200_000, 2_000), ("build", 2_000, 300_000, 4_000), ("scale", 4_000, 500_000, 8_000)],
)
def test_resources_beside_messages(tier: str, batch_requests: int, batch_queue: int, count_tokens: int) -> None:
    assert TIERS[tier].resources == (batch_requests, batch_queue, count_tokens, 500)


def test_every_class_of_the_catalogue_has_numbers_and_unpublished_ones_are_haiku_3_5_s() -> None:
    for model in MODELS:
        assert TIERS["evaluation"].rates_of(model.rate_class) == (50, 30_000, 8_000)
    for name in ("Opus 3", "Haiku 3", "Mythos Preview", "Sonnet 3.x"):
        assert TIERS["scale"].rates_of(name) == TIERS["scale"].rates_of("Haiku 3.5")


def test_custom_limits_nothing() -> None:
    rows = [row for row in tiers.shipped_limits() if row["tier_id"] == "custom"]
    assert rows == []


def test_rules_lead_upwards_within_a_family_and_never_into_custom() -> None:
    for rule in tiers.RULES:
        leaves, enters = TIERS[rule.leaves], TIERS[rule.enters]
        assert leaves.family == enters.family
        assert leaves.rank < enters.rank
        assert rule.enters != "custom"
