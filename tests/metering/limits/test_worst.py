from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.catalogue import MODELS, find
from metering.limits.worst import IMAGE_TOKENS, Reach, prompt_tokens, worst_picos
from metering.price_list import SHIPPED
from metering.pricing import PriceTable, price

TABLE = PriceTable(SHIPPED)
NOW = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()) * 1_000_000
MODEL = "claude-sonnet-5-5"
CENT = 10**10

reaches = st.builds(
    Reach,
    size=st.integers(0, 2_000_000),
    max_tokens=st.integers(0, 128_000),
    images=st.integers(0, 20),
    own_tools=st.integers(0, 3),
    has_preamble=st.booleans(),
    has_foreign_content=st.booleans(),
    writes_cache=st.booleans(),
    is_fast=st.booleans(),
    is_global=st.booleans(),
)


@st.composite
def usages(draw: st.DrawFn, reach: Reach, model: str) -> dict[str, Any]:
    """What an upstream may report for this body."""
    known = find(model)
    assert known
    left = draw(st.integers(0, prompt_tokens(reach, known.context_tokens)))
    counts = []
    for _ in range(3):
        counts.append(draw(st.integers(0, left)))
        left -= counts[-1]
    read, five_minutes, one_hour = counts
    if not reach.writes_cache:
        read, five_minutes, one_hour = read + five_minutes, 0, 0
        left += counts[2]
    return {
        "input_tokens": left,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": five_minutes, "ephemeral_1h_input_tokens": one_hour},
        "output_tokens": draw(st.integers(0, reach.max_tokens)),
        "service_tier": draw(st.sampled_from(["standard", "batch", "priority"])),
        "inference_geo": "global" if reach.is_global else draw(st.sampled_from(["us", "global", "not_available"])),
        "speed": draw(st.sampled_from(["fast", "standard"])) if reach.is_fast else "standard",
    }


@given(st.data())
def test_no_charge_is_ever_above_worst(data: st.DataObject) -> None:
    reach = data.draw(reaches)
    model = data.draw(st.sampled_from(MODELS)).id
    worst, field = worst_picos(reach, model, NOW, TABLE)
    assert worst is not None
    assert field == ""

    charge = price(data.draw(usages(reach, model)), model=model, at_us=NOW, table=TABLE)

    assert charge.cost_picos <= worst


@given(reaches, st.sampled_from(MODELS))
def test_worst_is_reached_but_for_rounding(reach: Reach, model: Any) -> None:
    prompt = prompt_tokens(reach, model.context_tokens)
    kind = "ephemeral_1h_input_tokens"
    usage = {
        "output_tokens": reach.max_tokens,
        "inference_geo": "global" if reach.is_global else "us",
        "speed": "fast" if reach.is_fast else "standard",
        **({"cache_creation": {kind: prompt}} if reach.writes_cache else {"input_tokens": prompt}),
    }
    worst, _ = worst_picos(reach, model.id, NOW, TABLE)

    assert worst is not None
    assert 0 <= worst - price(usage, model=model.id, at_us=NOW, table=TABLE).cost_picos <= 5


def test_a_plain_request_in_dollars() -> None:
    reach = Reach(size=1_000, max_tokens=400, is_global=True)

    assert worst_picos(reach, MODEL, NOW, TABLE) == (1_000 * 2_000_000 + 400 * 10_000_000 + 5, "")


@pytest.mark.parametrize(
    ("changes", "tokens"),
    [
        ({}, 1_000),
        ({"images": 2}, 1_000 + 2 * IMAGE_TOKENS),
        ({"has_foreign_content": True}, 1_000_000),
        ({"size": 5_000_000}, 1_000_000),
    ],
)
def test_how_long_a_prompt_can_be(changes: dict[str, Any], tokens: int) -> None:
    assert prompt_tokens(replace(Reach(size=1_000, max_tokens=1), **changes), 1_000_000) == tokens


def test_the_dear_band_counts_where_it_can_be_reached() -> None:
    below, beyond = (
        worst_picos(Reach(size=size, max_tokens=0), "claude-haiku-5-5", NOW, TABLE)[0] for size in (100_000, 100_001)
    )

    assert below is not None
    assert beyond is not None
    assert 4.9 * below < beyond < 5.1 * below


@pytest.mark.parametrize(
    ("reach", "model", "field"),
    [
        (Reach(size=1, max_tokens=1, unbounded="tools"), MODEL, "tools"),
        (Reach(size=1, max_tokens=1), "somebody-elses-model", "model"),
    ],
)
def test_what_has_no_bound_is_named(reach: Reach, model: str, field: str) -> None:
    assert worst_picos(reach, model, NOW, TABLE) == (None, field)
