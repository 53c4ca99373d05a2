from datetime import date

import pytest

from metering.catalogue import MODELS, find


def test_every_name_belongs_to_one_model() -> None:
    names = [name for model in MODELS for name in (model.id, *model.aliases)]

    assert len(names) == len(set(names))


def test_the_newest_model_comes_first() -> None:
    days = [model.created for model in MODELS]

    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize("name", ["claude-sonnet-4-20250514", "claude-sonnet-4-0"])
def test_a_model_is_found_by_id_and_by_alias(name: str) -> None:
    model = find(name)

    assert model is not None
    assert model.id == "claude-sonnet-4-20250514"
    assert model.display_name == "Claude Sonnet 4"


@pytest.mark.parametrize("name", ["", "claude-opus-9", "Claude-Opus-5", "claude-opus-5 "])
def test_any_other_name_is_unknown(name: str) -> None:
    assert find(name) is None


def test_retired_models_say_since_when() -> None:
    opus = find("claude-3-opus-20240229")

    assert opus is not None
    assert (opus.lifecycle, opus.retires_at) == ("retired", date(2026, 1, 5))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("claude-opus-5-5", {"adaptive"}),
        ("claude-sonnet-5-5", {"adaptive", "between_tools"}),
        ("claude-opus-4-8", {"adaptive", "disabled"}),
        ("claude-opus-4-6", {"adaptive", "enabled", "disabled"}),
        ("claude-sonnet-4-5", {"enabled", "disabled"}),
        ("claude-3-haiku-20240307", {"disabled"}),
    ],
)
def test_what_thinking_a_model_accepts(name: str, expected: set[str]) -> None:
    model = find(name)

    assert model is not None
    assert model.thinking == expected


def test_what_depends_on_the_generation() -> None:
    older, newer = find("claude-opus-4-5"), find("claude-opus-4-8")

    assert older is not None
    assert newer is not None
    assert (older.has_us_inference, older.accepts_prefill, older.accepts_sampling) == (False, True, True)
    assert (newer.has_us_inference, newer.accepts_prefill, newer.accepts_sampling) == (True, False, False)
    assert older.efforts == ("low", "medium", "high")
    assert newer.efforts == ("low", "medium", "high", "xhigh", "max")
