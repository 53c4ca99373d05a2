"""Which upstreams answer a model."""

import pytest

from relay.errors import ApiError
from relay.routing import Routes, Target
from relay.upstreams.anthropic import Anthropic
from relay.upstreams.simulated import Simulated


def real(id_: int, *patterns: str, credential: str = "key") -> Target:
    adapter = Anthropic("http://real.test", credential)
    return Target(id_, f"real-{id_}", adapter, patterns, has_credential=bool(credential), drains=True)


SIMULATOR = Target(9, "simulator", Simulated("http://127.0.0.1:1"), ("*",), has_credential=False, drains=True)


def names(routes: Routes, model: str) -> list[str]:
    return [target.name for target in routes.targets(model)]


def test_the_first_that_serves_the_model_comes_first() -> None:
    routes = Routes([real(1, "claude-opus-*"), real(2, "claude-*")])

    assert names(routes, "claude-opus-5-5") == ["real-1", "real-2"]
    assert names(routes, "claude-haiku-5-5") == ["real-2"]


def test_a_model_that_nobody_serves_is_not_found() -> None:
    with pytest.raises(ApiError) as caught:
        Routes([real(1, "claude-*")]).targets("gpt-4")

    assert (caught.value.status, caught.value.message) == (404, "model: gpt-4")


def test_the_simulator_steps_back_once_an_upstream_has_a_credential() -> None:
    assert names(Routes([SIMULATOR]), "claude-opus-5-5") == ["simulator"]
    assert names(Routes([real(1, "claude-*"), SIMULATOR]), "claude-opus-5-5") == ["real-1"]
    with pytest.raises(ApiError):
        Routes([real(1, "claude-opus-*"), SIMULATOR]).targets("claude-haiku-5-5")


def test_an_engine_without_a_credential_leaves_other_models_to_the_simulator() -> None:
    routes = Routes([real(1, "local-*", credential=""), SIMULATOR])

    assert names(routes, "local-7b") == ["real-1"]
    assert names(routes, "claude-opus-5-5") == ["simulator"]
