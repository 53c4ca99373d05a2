"""The model list, its pages, and one model by id or alias."""

from typing import Any

import pytest

from tests.simulator.running import RunningSimulator


def page(simulator: RunningSimulator, **query: Any) -> dict[str, Any]:
    return simulator.client.get("/v1/models", params=query).json()


def test_the_newest_come_first_and_retired_ones_only_when_asked_for(simulator: RunningSimulator) -> None:
    listed = page(simulator, limit=1000)["data"]
    retired = page(simulator, **{"lifecycle[]": "retired"})["data"]

    assert [model["created_at"] for model in listed] == sorted((m["created_at"] for m in listed), reverse=True)
    assert "claude-opus-5-5" in [model["id"] for model in listed]
    assert {model["lifecycle"] for model in retired} == {"retired"}


def test_pages_follow_each_other(simulator: RunningSimulator) -> None:
    first = page(simulator, limit=3)
    second = page(simulator, limit=3, after_id=first["last_id"])
    back = page(simulator, limit=3, before_id=second["first_id"])

    assert first["has_more"]
    assert len({model["id"] for model in first["data"] + second["data"]}) == 6
    assert back["data"] == first["data"]


def test_an_alias_is_resolved(simulator: RunningSimulator) -> None:
    model = simulator.client.get("/v1/models/claude-sonnet-4-5").json()

    assert model["id"] == "claude-sonnet-4-5-20250929"
    assert model["max_tokens"] == 64_000
    assert model["capabilities"]["thinking"]["types"]["enabled"] == {"supported": True}


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "x"}, {"after_id": "nobody"}, {"lifecycle": "dead"}])
def test_wrong_queries_are_refused(simulator: RunningSimulator, query: dict[str, Any]) -> None:
    assert simulator.client.get("/v1/models", params=query).status_code == 400
