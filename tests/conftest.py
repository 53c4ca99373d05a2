"""What every test may ask for: PostgreSQL, the real thing, and the tools that only some machines have.

A test that uses connections of its own (a pool, a thread, another process) needs
`@pytest.mark.django_db(transaction=True)`; what the migrations seeded is put back after each.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database import keep_seeds, restore_seeds
from tests.gateway import gateway, shared_gateway
from tests.requirements import require

__all__ = ["gateway", "require", "shared_gateway"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--acceptance", action="store_true", help="the full sizes of the acceptance lines")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--acceptance"):
        return
    for item in items:
        if item.get_closest_marker("acceptance"):
            item.add_marker(pytest.mark.skip(reason="a full size: runs with --acceptance"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[None]:
    """One embedded server for the whole run, without fsync."""
    from django.conf import settings

    from config.postgres.server import EmbeddedServer

    with EmbeddedServer(Path(settings.DATA_DIR)).used(durable=False):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres: None) -> None:
    """pytest-django asks for this before it makes the test database."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> None:
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        keep_seeds()


@pytest.fixture(autouse=True, scope="session")
def _flush_keeps_seeds() -> Iterator[None]:
    from django.test import TransactionTestCase

    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: restore_seeds())
    yield
    patch.undo()


@pytest.fixture
def acceptance(request: pytest.FixtureRequest) -> bool:
    """True when the full sizes were asked for."""
    return bool(request.config.getoption("--acceptance"))
