"""The command line itself: what it needs, and how it fails."""

import re
import subprocess
import sys
from pathlib import Path

from tests.gateway import ROOT, Factory, clean_environment


def tollgate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.cli", *arguments],
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_lists_every_command_and_touches_no_data_folder(tmp_path: Path) -> None:
    shown = tollgate("--help", TOLLGATE_DATA=str(tmp_path / "data"))

    nouns = [path.stem.replace("_", "-") for path in (ROOT / "config/commands").glob("[a-z]*.py")]
    assert shown.returncode == 0
    assert [noun for noun in nouns if not re.search(rf"^    {noun}\s", shown.stdout, re.MULTILINE)] == []
    assert not (tmp_path / "data").exists()


def test_a_wrong_word_is_exit_code_2() -> None:
    assert tollgate("upp").returncode == 2
    assert tollgate("up", "--no-such-option").returncode == 2
    assert tollgate().returncode == 0


def test_commands_work_without_up_and_leave_no_server_running(gateway: Factory) -> None:
    idle = gateway(start=False)

    made = idle.command("org", "create", "acme")
    again = idle.command("org", "create", "acme", check=False)

    assert len(made.stdout.strip()) == 36
    assert again.returncode == 1
    assert again.stderr.startswith("tollgate: ")
    assert not list(idle.data.glob("pg*/postmaster.pid"))


def test_a_database_of_the_operators_own_is_used_instead_of_ours(gateway: Factory, postgres: None) -> None:
    import psycopg
    from django.conf import settings

    elsewhere = f"{settings.DATABASE_URL}".replace("/tollgate?", "/elsewhere?")
    with psycopg.connect(settings.DATABASE_URL.replace("/tollgate?", "/postgres?"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE elsewhere")

    running = gateway(environment={"DATABASE_URL": elsewhere})
    running.command("org", "create", "acme")

    assert "postgres" not in running.pids()
    assert not list(running.data.glob("pg*"))
    with psycopg.connect(elsewhere) as connection:
        names = connection.execute("SELECT name FROM apikeys_organization ORDER BY name").fetchall()
    assert names == [("My organization",), ("acme",)]
    assert running.stop() == 0


def test_an_unreachable_database_is_one_clear_line(tmp_path: Path) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"

    failed = tollgate("upstream", "list", TOLLGATE_DATA=str(tmp_path), DATABASE_URL=nowhere)

    assert failed.returncode == 1
    assert failed.stderr.count("tollgate: ") == 1
    assert "cannot be used" in failed.stderr


def test_a_data_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    failed = tollgate("up", "--port", "0", "--data", str(tmp_path / "file" / "data"))

    assert failed.returncode == 1
    assert "--data" in failed.stderr
    assert "Traceback" not in failed.stderr
