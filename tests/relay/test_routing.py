"""Which upstreams answer a model."""

from typing import Any

import pytest
from cryptography.fernet import Fernet

from relay import credentials
from relay.errors import ApiError
from relay.routing import Routes, Target, _routes
from relay.upstreams.anthropic import Anthropic
from relay.upstreams.simulated import Simulated

Row = tuple[Any, ...]


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


def row(name: str, *, kind: str = "anthropic", base_url: str = "http://real.test", credential: bytes = b"") -> Row:
    return (1, name, kind, base_url, credential or credentials.encrypt("secret"), ["claude-*"], True, False)


SIMULATED = (2, "simulator", "simulator", "http://127.0.0.1:8001", None, ["*"], True, False)


@pytest.mark.parametrize(
    "broken",
    [
        row("from another key", credential=Fernet(Fernet.generate_key()).encrypt(b"secret")),
        row("of a later release", kind="bedrock"),
        row("no port", base_url="http://real.test:port"),
        row("no host", base_url="http://xn--zz"),
    ],
    ids=lambda row: row[1],
)
def test_an_upstream_that_cannot_be_used_is_away_and_nobody_invents_its_answers(broken: Row) -> None:
    routes = _routes([broken, SIMULATED])

    with pytest.raises(ApiError) as caught:
        routes.targets("claude-opus-5-5")
    assert caught.value.status == 503
    with pytest.raises(ApiError) as caught:
        routes.targets("gpt-4")
    assert caught.value.status == 404


def test_the_others_go_on_when_one_cannot_be_used() -> None:
    assert names(_routes([row("good"), row("broken", kind="none")]), "claude-opus-5-5") == ["good"]
