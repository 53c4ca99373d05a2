"""The environment that `./tollgate` makes: whole or done again, by one at a time, where it can be written."""

import fcntl
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import bootstrap
from tests.gateway import ROOT


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bootstrap.Environment:
    """One that needs no package: the list of requirements is empty, and no `uv` is found."""
    checkout = tmp_path / "checkout"
    (checkout / "requirements").mkdir(parents=True)
    (checkout / "requirements" / "base.txt").write_text("# nothing\n")
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    return bootstrap.Environment(checkout / ".venv", "base")


def test_it_is_made_once(environment: bootstrap.Environment) -> None:
    assert not environment.is_complete()

    environment.install()

    assert environment.is_complete()
    assert subprocess.run([environment.python, "-c", ""], check=False).returncode == 0


def test_changed_requirements_are_installed_again(environment: bootstrap.Environment) -> None:
    environment.install()

    (bootstrap.ROOT / "requirements" / "base.txt").write_text("# other\n")

    assert not environment.is_complete()


def test_an_interrupted_installation_is_done_again_from_the_start(environment: bootstrap.Environment) -> None:
    environment.install()
    (environment.folder / "tollgate-installing").touch()  # as a killed one leaves it
    (environment.folder / "half-written").touch()

    assert not environment.is_complete()
    environment.install()

    assert environment.is_complete()
    assert not (environment.folder / "half-written").exists()


def test_an_environment_whose_python_is_gone_is_made_again(environment: bootstrap.Environment) -> None:
    environment.install()
    environment.python.unlink()
    environment.python.symlink_to("/nonexistent/python3.11")

    assert not environment.is_complete()
    environment.install()

    assert environment.is_complete()


def test_an_environment_that_somebody_made_by_hand_is_kept(environment: bootstrap.Environment) -> None:
    bootstrap.make_with_venv(sys.executable, environment.folder)
    (environment.folder / "theirs").touch()

    environment.install()

    assert environment.is_complete()
    assert (environment.folder / "theirs").exists()


def test_two_at_once_take_turns(environment: bootstrap.Environment, capsys: pytest.CaptureFixture[str]) -> None:
    code = "import sys, time; from pathlib import Path; from config import bootstrap\n"
    code += "with bootstrap.only_one(Path(sys.argv[1])): print('mine', flush=True); time.sleep(0.5)"
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(environment.folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "mine\n"

    began = time.monotonic()
    with bootstrap.only_one(environment.folder):
        waited = time.monotonic() - began

    assert first.wait() == 0
    assert waited > 0.3
    assert "another start is installing" in capsys.readouterr().err


def test_a_checkout_that_cannot_be_written_gets_its_environment_in_the_cache_folder(
    environment: bootstrap.Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TOLLGATE_VENV", raising=False)
    monkeypatch.setattr(bootstrap.os, "access", lambda path, mode: False)

    folder = bootstrap.environment_folder()

    assert folder.parent == tmp_path / "cache" / "tollgate"


def test_the_script_says_what_is_missing_where_there_is_no_python(tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("sh", "dirname", "readlink", "env"):
        (bare / name).symlink_to(f"/usr/bin/{name}" if Path(f"/usr/bin/{name}").exists() else f"/bin/{name}")
    script = tmp_path / "tollgate"
    script.write_text((ROOT / "tollgate").read_text().replace("/opt/homebrew/bin /usr/local/bin", ""))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)

    failed = subprocess.run(
        [bare / "sh", script, "up"], env={"PATH": str(bare), "HOME": str(tmp_path)}, capture_output=True, text=True
    )

    assert failed.returncode == 1
    assert "no Python 3.11 or later found" in failed.stderr
    assert failed.stdout == ""


def test_the_script_runs_a_command_in_the_environment_and_keeps_stdout_clean(tmp_path: Path) -> None:
    environment = {**os.environ, "TOLLGATE_VENV": sys.prefix}
    environment.pop("PYTHONPATH", None)
    if not bootstrap.Environment(Path(sys.prefix), "base").is_complete():
        pytest.skip("runs in an environment that ./tollgate has made")

    shown = subprocess.run(
        [ROOT / "tollgate", "--help"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert shown.stdout.startswith("usage: tollgate")
    assert shown.stderr == ""


def test_the_lock_is_free_afterwards(environment: bootstrap.Environment) -> None:
    with bootstrap.only_one(environment.folder):
        pass

    with open(environment.folder.with_name(".venv.lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
