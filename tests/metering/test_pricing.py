from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.catalogue import MODELS
from metering.price_list import SHIPPED
from metering.pricing import Charge, PriceRow, PriceTable, price

TABLE = PriceTable(SHIPPED)
PICOS = 10**12


def _us(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000


NOW = _us("2026-11-20")


def _charge(usage: dict[str, Any], model: str, *, at_us: int = NOW, stop_reason: str | None = None) -> Charge:
    return price(usage, model=model, at_us=at_us, table=TABLE, stop_reason=stop_reason)


def _usd(usage: dict[str, Any], model: str, *, at_us: int = NOW) -> Decimal:
    return Decimal(_charge(usage, model, at_us=at_us).cost_picos) / PICOS


OPUS = {
    "input_tokens": 50,
    "cache_creation_input_tokens": 7_345,
    "cache_creation": {"ephemeral_5m_input_tokens": 7_345, "ephemeral_1h_input_tokens": 0},
    "cache_read_input_tokens": 200_000,
    "output_tokens": 1_000,
}
FABLE = {
    "cache_creation": {"ephemeral_1h_input_tokens": 30_000},
    "output_tokens": 100,
    "server_tool_use": {"web_search_requests": 2},
}


@pytest.mark.parametrize(
    ("model", "usage", "usd"),
    [
        ("claude-sonnet-5-5", {"input_tokens": 1_000, "output_tokens": 500}, "0.007"),
        ("claude-opus-5-5", OPUS, "0.096925"),
        ("claude-opus-5-5", {**OPUS, "inference_geo": "us"}, "0.1066175"),
        ("claude-opus-5-5", {**OPUS, "inference_geo": "us", "service_tier": "batch"}, "0.05330875"),
        ("claude-haiku-5-5", {"input_tokens": 100_000, "output_tokens": 1_000}, "0.0105"),
        ("claude-haiku-5-5", {"input_tokens": 100_001, "output_tokens": 1_000}, "0.0525005"),
        ("claude-opus-5-5", {"input_tokens": 10_000, "output_tokens": 2_000, "speed": "fast"}, "0.16"),
        ("claude-fable-5-2", FABLE, "0.504"),
    ],
)
def test_the_worked_examples(model: str, usage: dict[str, Any], usd: str) -> None:
    assert _usd(usage, model) == Decimal(usd)


# USD per million tokens: input, 5 minute write, 1 hour write, cache read, output.
PUBLISHED = {
    "claude-mythos-5-2": ("8", "10", "16", "0.20", "40"),
    "claude-fable-5-1": ("10", "12.50", "20", "0.25", "50"),
    "claude-mythos-preview": ("10", "12.50", "20", "1", "50"),
    "claude-opus-4-8": ("5", "6.25", "10", "0.50", "25"),
    "claude-opus-4-1": ("15", "18.75", "30", "1.50", "75"),
    "claude-sonnet-5": ("2", "2.50", "4", "0.20", "10"),
    "claude-sonnet-4-6": ("3", "3.75", "6", "0.30", "15"),
    "claude-haiku-5-5": ("0.10", "0.125", "0.20", "0.01", "0.50"),
    "claude-haiku-4-5": ("1", "1.25", "2", "0.10", "5"),
    "claude-3-5-haiku-20241022": ("0.80", "1", "1.60", "0.08", "4"),
    "claude-3-haiku-20240307": ("0.25", "0.30", "0.50", "0.03", "1.25"),
    "claude-haiku-4-20250514": ("1", "1.25", "2", "0.10", "5"),
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_a_thousand_tokens_of_each_class(model: str) -> None:
    usage = {
        "input_tokens": 1_000,
        "cache_creation": {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 1_000},
        "cache_read_input_tokens": 1_000,
        "output_tokens": 1_000,
    }

    charge = _charge(usage, model)

    costs = (
        charge.uncached_input_picos,
        charge.cache_creation_5m_picos,
        charge.cache_creation_1h_picos,
        charge.cache_read_picos,
        charge.output_picos,
    )
    assert costs == tuple(Decimal(usd) * 1_000_000 * 1_000 for usd in PUBLISHED[model])


def test_every_model_of_the_catalogue_has_a_price_from_its_first_day_on() -> None:
    for model in MODELS:
        first_us = _us(model.created.isoformat())
        assert TABLE.row(model.id, first_us, 0) is not None, model.id
        assert TABLE.row(model.id, first_us - 1, 0) is None, model.id


def test_no_shipped_price_ever_needs_rounding() -> None:
    for row in SHIPPED:
        for picos in (row.input_picos, row.cache_write_5m_picos, row.cache_write_1h_picos, row.cache_read_picos):
            assert picos * row.us_factor_percent * (row.fast_factor or 1) % 200 == 0, row
        assert row.output_picos * row.us_factor_percent * (row.fast_factor or 1) % 200 == 0, row


def test_sonnet_5_5_read_its_cache_at_twice_the_price_before_october_7() -> None:
    usage = {"cache_read_input_tokens": 1_000_000}

    assert _usd(usage, "claude-sonnet-5-5", at_us=_us("2026-10-07") - 1) == Decimal("0.20")
    assert _usd(usage, "claude-sonnet-5-5", at_us=_us("2026-10-07")) == Decimal("0.10")


def test_the_band_counts_the_whole_prompt_and_applies_to_the_output_too() -> None:
    at_the_edge = {"input_tokens": 40_000, "cache_read_input_tokens": 60_000, "output_tokens": 1_000_000}
    beyond = {**at_the_edge, "cache_creation_input_tokens": 1}

    assert _charge(at_the_edge, "claude-haiku-5-5").output_picos == PICOS // 2
    assert _charge(beyond, "claude-haiku-5-5").output_picos == PICOS * 5 // 2


def test_a_list_of_prices_replaces_the_one_before_with_all_its_bands() -> None:
    banded = [PriceRow("m", 100, 0, 1, 1, 1, 1, 1), PriceRow("m", 100, 50, 5, 5, 5, 5, 5)]
    table = PriceTable([*banded, PriceRow("m", 200, 0, 3, 3, 3, 3, 3)])

    prices = [table.row("m", at_us, prompt) for at_us in (99, 100, 199, 200) for prompt in (0, 50, 51)]

    assert [row and row.input_picos for row in prices] == [None, None, None, 1, 1, 5, 1, 1, 5, 3, 3, 3]


@pytest.mark.parametrize(
    ("model", "usage", "usd"),
    [
        ("claude-opus-4-5", {"inference_geo": "us"}, "25"),  # too early for the factor
        ("claude-opus-4-6", {"inference_geo": "us"}, "27.5"),
        ("claude-opus-4-6", {"inference_geo": "global"}, "25"),
        ("claude-opus-4-6", {"speed": "fast"}, "25"),  # runs as standard there
        ("claude-opus-4-8", {"speed": "fast"}, "50"),
        ("claude-opus-5", {"speed": "fast", "inference_geo": "us"}, "55"),
        ("claude-fable-5-2", {"speed": "fast"}, "80"),
        ("claude-opus-5", {"service_tier": "batch"}, "12.5"),
        ("claude-opus-5", {"service_tier": "priority"}, "0"),
    ],
)
def test_factors_on_a_million_output_tokens(model: str, usage: dict[str, Any], usd: str) -> None:
    assert _usd({"output_tokens": 1_000_000, **usage}, model) == Decimal(usd)


def test_searches_cost_a_cent_each_whatever_the_factors() -> None:
    usage = {"server_tool_use": {"web_search_requests": 3}, "service_tier": "batch", "inference_geo": "us"}

    charge = _charge(usage, "claude-opus-5")

    assert charge.cost_picos == charge.web_search_picos == 3 * PICOS // 100


def test_an_alias_costs_what_its_model_costs() -> None:
    usage = {"input_tokens": 1_000_000}

    assert _usd(usage, "claude-sonnet-4-5") == _usd(usage, "claude-sonnet-4-5-20250929") == 3


def test_an_unknown_model_is_counted_marked_and_free() -> None:
    usage = {"input_tokens": 10, "output_tokens": 20, "server_tool_use": {"web_search_requests": 1}}

    charge = _charge(usage, "llama-9")

    assert charge.is_unpriced
    assert charge.cost_picos == 0
    assert (charge.uncached_input_tokens, charge.output_tokens, charge.web_search_requests) == (10, 20, 1)


def test_each_iteration_is_priced_as_its_own_model_and_all_are_summed() -> None:
    usage = {
        "input_tokens": 1,
        "output_tokens": 1,
        "iterations": [
            {"type": "message", "input_tokens": 1_000, "output_tokens": 100},
            {"type": "compaction", "input_tokens": 2_000, "output_tokens": 10},
            {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 1_000, "output_tokens": 1_000},
        ],
    }

    charge = _charge(usage, "claude-sonnet-5")

    assert (charge.uncached_input_tokens, charge.output_tokens) == (4_000, 1_110)
    assert charge.uncached_input_picos == 3_000 * 2_000_000 + 1_000 * 5_000_000
    assert charge.output_picos == 110 * 10_000_000 + 1_000 * 25_000_000


def test_each_iteration_finds_its_own_band() -> None:
    steps = [{"type": "message", "input_tokens": 60_000, "output_tokens": 1}] * 2

    charge = _charge({"input_tokens": 120_000, "iterations": steps}, "claude-haiku-5-5")

    assert charge.uncached_input_picos == 120_000 * 100_000
    assert charge.context_window == "0-200k"


def test_an_attempt_that_a_fallback_replaced_without_output_is_free() -> None:
    declined = {"type": "message", "model": "claude-fable-5-2", "input_tokens": 1_000, "output_tokens": 0}
    serving = {"type": "fallback_message", "model": "claude-opus-5-5", "input_tokens": 1_000, "output_tokens": 10}

    charge = _charge({"iterations": [declined, serving]}, "claude-opus-5-5")

    assert charge.cost_picos == 1_000 * 4_000_000 + 10 * 20_000_000


@pytest.mark.parametrize(("output_tokens", "is_free"), [(0, True), (1, False)])
def test_a_refusal_is_free_only_before_any_output(output_tokens: int, is_free: bool) -> None:
    usage = {"input_tokens": 1_000, "output_tokens": output_tokens}

    charge = _charge(usage, "claude-opus-5", stop_reason="refusal")

    assert (charge.cost_picos == 0) is is_free
    assert charge.uncached_input_tokens == 1_000


def test_warming_the_cache_without_output_is_charged() -> None:
    assert _usd({"cache_creation_input_tokens": 1_000_000, "output_tokens": 0}, "claude-opus-5") == Decimal("6.25")


@pytest.mark.parametrize(("prompt", "window"), [(200_000, "0-200k"), (200_001, "200k-1M")])
def test_the_context_window_by_the_length_of_the_prompt(prompt: int, window: str) -> None:
    assert _charge({"input_tokens": 1, "cache_read_input_tokens": prompt - 1}, "claude-opus-5").context_window == window


def test_dimensions_that_the_upstream_did_not_name() -> None:
    charge = _charge({"input_tokens": 1}, "claude-3-haiku-20240307")

    assert (charge.service_tier, charge.inference_geo, charge.speed) == ("standard", "not_available", "standard")


def test_each_class_is_rounded_once_half_to_even() -> None:
    table = PriceTable([PriceRow("m", 0, 0, 1, 1, 1, 1, 1)])
    usage = {"input_tokens": 1, "output_tokens": 3, "service_tier": "batch"}

    charge = price(usage, model="m", at_us=1, table=table)

    assert (charge.uncached_input_picos, charge.output_picos) == (0, 2)  # a half and one and a half


def test_what_a_broken_upstream_reports_still_fits_64_bits() -> None:
    charge = _charge(
        dict.fromkeys(OPUS, 10**40) | {"speed": "fast", "server_tool_use": {"web_search_requests": 10**40}},
        "claude-opus-5",
    )

    assert charge.cost_picos < 2**63


COUNTS = st.integers(min_value=0, max_value=2_000_000)
MODEL_NAMES = st.sampled_from([model.id for model in MODELS])
USAGES = st.fixed_dictionaries(
    {
        "input_tokens": COUNTS,
        "cache_creation": st.fixed_dictionaries(
            {"ephemeral_5m_input_tokens": COUNTS, "ephemeral_1h_input_tokens": COUNTS}
        ),
        "cache_read_input_tokens": COUNTS,
        "output_tokens": COUNTS,
        "server_tool_use": st.fixed_dictionaries({"web_search_requests": st.integers(0, 50)}),
        "service_tier": st.sampled_from(["standard", "batch", "priority"]),
        "inference_geo": st.sampled_from(["global", "us", "not_available"]),
        "speed": st.sampled_from(["standard", "fast"]),
    }
)


@given(USAGES, MODEL_NAMES)
def test_a_charge_is_the_sum_of_its_classes_and_never_negative(usage: dict[str, Any], model: str) -> None:
    charge = _charge(usage, model)

    classes = (
        charge.uncached_input_picos,
        charge.cache_creation_5m_picos,
        charge.cache_creation_1h_picos,
        charge.cache_read_picos,
        charge.output_picos,
        charge.web_search_picos,
    )
    assert all(picos >= 0 for picos in classes)
    assert charge.cost_picos == sum(classes)


@given(USAGES, MODEL_NAMES, st.sampled_from(["input_tokens", "cache_read_input_tokens", "output_tokens"]), COUNTS)
def test_more_tokens_never_cost_less(usage: dict[str, Any], model: str, field: str, more: int) -> None:
    fuller = {**usage, field: usage[field] + more}

    assert _charge(fuller, model).cost_picos >= _charge(usage, model).cost_picos


@given(USAGES, USAGES, MODEL_NAMES.filter(lambda name: name != "claude-haiku-5-5"))
def test_two_requests_cost_what_one_with_both_their_tokens_costs(
    one: dict[str, Any], other: dict[str, Any], model: str
) -> None:
    factors = {key: one[key] for key in ("service_tier", "inference_geo", "speed")}
    both = {
        "input_tokens": one["input_tokens"] + other["input_tokens"],
        "cache_creation": {
            key: one["cache_creation"][key] + other["cache_creation"][key] for key in one["cache_creation"]
        },
        "cache_read_input_tokens": one["cache_read_input_tokens"] + other["cache_read_input_tokens"],
        "output_tokens": one["output_tokens"] + other["output_tokens"],
        "server_tool_use": {
            "web_search_requests": one["server_tool_use"]["web_search_requests"]
            + other["server_tool_use"]["web_search_requests"]
        },
    }

    apart = _charge(one, model).cost_picos + _charge(other | factors, model).cost_picos

    assert _charge(both | factors, model).cost_picos == apart


@given(USAGES, MODEL_NAMES)
def test_pricing_again_reproduces_the_charge(usage: dict[str, Any], model: str) -> None:
    reversed_rows = PriceTable(reversed(SHIPPED))

    again = price(usage, model=model, at_us=NOW, table=reversed_rows)

    assert again == _charge(usage, model)
