from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.usage import LARGEST_COUNT, fold, read

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab0", max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab0", max_size=3), inner),
    max_leaves=8,
)
_FIELDS = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens",
    "server_tool_use",
    "service_tier",
    "inference_geo",
    "speed",
    "iterations",
)


def test_a_stream_reports_totals_so_the_last_value_wins() -> None:
    total: dict[str, Any] = {}

    fold(total, {"input_tokens": 2679, "output_tokens": 3, "service_tier": "standard"})
    fold(total, {"input_tokens": 10682, "output_tokens": 510})

    assert total == {"input_tokens": 10682, "output_tokens": 510, "service_tier": "standard"}


def test_null_never_erases_what_was_said_before() -> None:
    total: dict[str, Any] = {"cache_read_input_tokens": 7, "server_tool_use": {"web_search_requests": 1}}

    fold(total, {"cache_read_input_tokens": None, "server_tool_use": {"web_search_requests": None}})

    assert total == {"cache_read_input_tokens": 7, "server_tool_use": {"web_search_requests": 1}}


def test_the_cache_split_of_the_start_survives_the_deltas() -> None:
    total: dict[str, Any] = {}

    fold(total, {"cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}})
    fold(total, {"cache_creation_input_tokens": 30})
    usage = read(total)

    assert (usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens) == (10, 20)


def test_folding_leaves_its_source_alone() -> None:
    total: dict[str, Any] = {}
    first = {"server_tool_use": {"web_search_requests": 1}}

    fold(total, first)
    fold(total, {"server_tool_use": {"web_search_requests": 2}})

    assert first == {"server_tool_use": {"web_search_requests": 1}}


@given(st.lists(st.dictionaries(st.sampled_from(_FIELDS), _JSON), max_size=4))
def test_folding_a_piece_twice_changes_nothing(pieces: list[dict[str, Any]]) -> None:
    once: dict[str, Any] = {}
    twice: dict[str, Any] = {}

    for piece in pieces:
        fold(once, piece)
        fold(twice, piece)
        fold(twice, piece)

    assert repr(once) == repr(twice)  # NaN differs from itself


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"cache_creation_input_tokens": 9}, (9, 0)),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5}}, (4, 5)),
        ({"cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 9}}, (0, 9)),
        # What the total has beyond the split bears no label: five minutes.
        (
            {
                "cache_creation_input_tokens": 12,
                "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
            },
            (7, 5),
        ),
        ({"cache_creation_input_tokens": 3, "cache_creation": None}, (3, 0)),
    ],
)
def test_cache_writes_by_time_to_live(raw: dict[str, Any], expected: tuple[int, int]) -> None:
    usage = read(raw)

    assert (usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-5, 0),
        ("12", 0),
        (True, 0),
        (None, 0),
        (12.0, 12),
        (float("nan"), 0),
        (float("inf"), LARGEST_COUNT),
        (10**30, LARGEST_COUNT),
    ],
)
def test_an_odd_count_is_harmless(value: object, expected: int) -> None:
    assert read({"input_tokens": value}).input_tokens == expected


@given(st.dictionaries(st.sampled_from(_FIELDS), _JSON))
def test_reading_never_raises_and_never_goes_below_zero(raw: dict[str, Any]) -> None:
    usage = read(raw)

    assert 0 <= usage.prompt_tokens <= 4 * LARGEST_COUNT
    assert 0 <= usage.output_tokens <= LARGEST_COUNT
