"""Client packages in versions that the project itself does not use, each in a folder of its own.

What is installed stays in pytest's cache, under the hash of its lock file, so that only the first run waits for it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from config.bootstrap import pip_for
from tests.gateway import Gateway
from tests.requirements import require

PACKAGES = Path(__file__).resolve().parent / "packages"
TRIES = 3
INSTALL_SECONDS = 180
patient = pytest.mark.timeout(TRIES * (INSTALL_SECONDS + 10) + 60)
"""For tests that may be the first to need a package."""

RUN_SECONDS = 60


@dataclass(frozen=True)
class NodePackage:
    """An installed npm package."""

    folder: Path

    def run(self, script: str, gateway: Gateway, **environment: str) -> Any:
        """Run an ES module; what it prints is one JSON value."""
        done = subprocess.run(
            [str(require("node")), "--input-type=module", "-"],
            input=script,
            cwd=self.folder,
            env=_with_gateway(gateway, environment),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@dataclass(frozen=True)
class PythonPackage:
    """A folder of installed Python packages that come before our own."""

    folder: Path

    def run(self, script: str, gateway: Gateway) -> Any:
        """Run a script; what it prints is one JSON value."""
        done = subprocess.run(
            [sys.executable, "-"],
            input=script,
            cwd=self.folder,
            env=_with_gateway(gateway, {"PYTHONPATH": str(self.folder)}),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class Installer:
    """Installs what `packages/` describes, once for each state of its lock file."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def node(self, name: str) -> NodePackage:
        """From `packages/NAME/package-lock.json`."""
        npm, source = str(require("npm")), PACKAGES / name
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]

        def install(folder: Path) -> None:
            shutil.copy(source / "package.json", folder)
            shutil.copy(source / "package-lock.json", folder)
            _try(command, folder)

        return NodePackage(self._installed(name, source / "package-lock.json", install))

    def python(self, name: str) -> PythonPackage:
        """From the hashed requirements in `packages/NAME.txt`."""
        source = PACKAGES / f"{name}.txt"
        command = [*_pip(), "--no-deps", "--require-hashes", "-r", str(source), "--target"]
        return PythonPackage(self._installed(name, source, lambda folder: _try([*command, str(folder)], folder)))

    def _installed(self, name: str, lock: Path, install: Callable[[Path], None]) -> Path:
        """The folder. `install` fills a draft beside it, so that nothing is ever half installed."""
        folder = self._cache / f"{name}-{sha256(lock.read_bytes()).hexdigest()[:12]}"
        if folder.exists():
            return folder
        draft = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._cache))
        try:
            install(draft)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return folder


@pytest.fixture(scope="session")
def installer(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Installer:
    cache = getattr(pytestconfig, "cache", None)  # absent when its plugin is off
    return Installer(cache.mkdir("packages") if cache else tmp_path_factory.mktemp("packages"))


def _try(command: Sequence[str], folder: Path) -> None:
    """Registries and mirrors stumble: a failure is given time, and tried again."""
    words = ""
    for attempt in range(1, TRIES + 1):
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
            if done.returncode == 0:
                return
            words = done.stderr[-2000:]
        except subprocess.TimeoutExpired:
            words = f"nothing within {INSTALL_SECONDS} s"
        if attempt < TRIES:
            time.sleep(2**attempt)
    _missing(f"needs {folder.name.rpartition('-')[0]}, which could not be installed: {words}")


def _missing(what: str) -> None:
    if os.environ.get("TOLLGATE_TEST_REQUIRE") == "all":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def _pip() -> list[str]:
    """uv where it is installed, as in the start script; else pip."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    return [*pip_for(Path(sys.executable)), "install", "--quiet", "--disable-pip-version-check"]


def _with_gateway(gateway: Gateway, more: dict[str, str]) -> dict[str, str]:
    return {**gateway.environment, "BASE_URL": gateway.address, "API_KEY": gateway.api_key, **more}
