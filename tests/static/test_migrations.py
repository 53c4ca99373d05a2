"""The models and their migrations say the same."""

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState


def test_no_change_of_a_model_lacks_its_migration() -> None:
    loader = MigrationLoader(None)

    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(loader.graph)

    assert {app: [migration.operations for migration in found] for app, found in changes.items()} == {}


def test_every_app_has_one_last_migration() -> None:
    loader = MigrationLoader(None)

    assert loader.detect_conflicts() == {}
