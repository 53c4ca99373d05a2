"""Makes the environment that Tollgate runs in, then runs the command there. Standard library only.

All requirements are pinned by hash. A stamp in the environment says what was installed last; an interrupted
installation is done again. Everything printed here goes to stderr: stdout belongs to the command.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDS_DEVELOPMENT = {"test", "check"}
INCLUDES = {"base": ["base"], "dev": ["dev", "base"]}
"""Who has installed a list has installed these too: a test sees to it that their versions agree."""
ATTEMPTS = 3


class BootstrapFailed(Exception):
    """The message says what to install or to change."""


def main() -> None:
    arguments = sys.argv[1:]
    try:
        python = environment_with(required_by(arguments))
    except BootstrapFailed as failure:
        sys.exit(f"tollgate: {failure}")
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    os.execv(python, [str(python), "-m", "config.cli", *arguments])  # noqa: S606


def required_by(arguments: list[str]) -> str:
    """`dev` for the commands that test and check, `base` for all others."""
    return "dev" if NEEDS_DEVELOPMENT.intersection(arguments[:1]) else "base"


def environment_with(requirements: str) -> Path:
    """The environment's Python, with `requirements/<requirements>.txt` installed."""
    folder = environment_folder()
    environment = Environment(folder, requirements)
    if not environment.is_complete():
        with only_one(folder):
            if not environment.is_complete():
                environment.install()
    return environment.python


def environment_folder() -> Path:
    """`TOLLGATE_VENV`, else beside the script; where that cannot be written, below the user's cache folder."""
    given = os.environ.get("TOLLGATE_VENV")
    if given:
        return Path(given).expanduser().absolute()
    beside = ROOT / ".venv"
    if os.access(beside if beside.exists() else ROOT, os.W_OK):
        return beside
    if Environment(beside, "base").is_complete():
        return beside
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "tollgate" / f"venv-{hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:12]}"


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Two starts at once: the second waits, and then finds the work done."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = open(folder.with_name(f"{folder.name}.lock"), "w")  # noqa: SIM115
    except OSError as failure:
        raise BootstrapFailed(
            f"cannot write {folder.parent} ({failure.strerror}). Set TOLLGATE_VENV to a folder for the environment."
        ) from failure
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another start is installing; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Environment:
    """A virtual environment and one list of requirements that it is to hold."""

    def __init__(self, folder: Path, requirements: str) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self._name = requirements
        self._unfinished = folder / "tollgate-installing"

    def is_complete(self) -> bool:
        try:
            said = self._stamp(self._name).read_text()
        except OSError:
            return False
        return (
            not self._unfinished.exists() and os.access(self.python, os.X_OK) and said == self._fingerprint(self._name)
        )

    def install(self) -> None:
        started = time.monotonic()
        uv = shutil.which("uv")
        self._make(uv)
        self._unfinished.touch()
        say(f"installing {self._name} requirements into {self.folder} with {'uv' if uv else 'pip'}")
        if not (uv and self._with_uv(uv)):
            self._with_pip()
        for name in INCLUDES[self._name]:
            self._stamp(name).write_text(self._fingerprint(name))
        self._unfinished.unlink()
        say(f"environment ready after {time.monotonic() - started:.0f} s")

    def _list(self, name: str) -> Path:
        return ROOT / "requirements" / f"{name}.txt"

    def _stamp(self, name: str) -> Path:
        return self.folder / f"tollgate-{name}.stamp"

    def _fingerprint(self, name: str) -> str:
        """The list's hash, and the Python the environment was made for."""
        version = re.search(r"^version(?:_info)? *= *(\S+)", self._configuration(), re.MULTILINE)
        return f"{hashlib.sha256(self._list(name).read_bytes()).hexdigest()} {version[1] if version else '?'}\n"

    def _configuration(self) -> str:
        try:
            return (self.folder / "pyvenv.cfg").read_text()
        except OSError:
            return ""

    def _make(self, uv: str | None) -> None:
        """An environment that works and was not left half-done is kept: installing into it again is quick."""
        if not self._unfinished.exists() and runs(self.python):
            return
        if self._configuration() or self._unfinished.exists():
            say(f"removing the unusable environment in {self.folder}")
            shutil.rmtree(self.folder, ignore_errors=True)
        base = base_python()
        say(f"making an environment with {base}")
        if uv and succeeds([uv, "venv", "-q", "--no-project", "--allow-existing", "--python", base, str(self.folder)]):
            return
        make_with_venv(base, self.folder)

    def _with_uv(self, uv: str) -> bool:
        command = [
            uv,
            "pip",
            "install",
            "--require-hashes",
            "--no-config",
            "--python",
            str(self.python),
            "-r",
            str(self._list(self._name)),
        ]
        return any(attempt(command, number) for number in range(ATTEMPTS))

    def _with_pip(self) -> None:
        options = ["install", "--require-hashes", "--no-deps", "--no-compile", "--disable-pip-version-check"]
        command = [*pip_for(self.python), *options, "-r", str(self._list(self._name))]
        if not any(attempt(command, number, self._count_packages) for number in range(ATTEMPTS)):
            raise BootstrapFailed("the requirements could not be installed; pip's own words are above.")

    def _count_packages(self, line: str) -> str | None:
        """One short line per package instead of pip's several."""
        found = re.match(r"Collecting ([\w.-]+)", line)
        return f"  {found[1]}" if found else None if not line.startswith("ERROR") else line


def base_python() -> str:
    """This Python, or the one that its environment was made from."""
    return getattr(sys, "_base_executable", None) or sys.executable


def make_with_venv(base: str, folder: Path) -> None:
    """Without a pip of its own where the base Python's can do the work: unpacking one takes seconds.

    Debian's `venv` has none to unpack unless python3-venv is installed.
    """
    kinds = [["--without-pip"], []] if can_install_elsewhere(base) else [[]]
    if not any(succeeds([base, "-m", "venv", "--clear", *kind, str(folder)]) for kind in kinds):
        raise BootstrapFailed(f"{base} -m venv does not work. Install python3-venv (Debian, Ubuntu), or uv.")


def pip_for(python: Path) -> list[str]:
    """The base Python's pip, told where to install, else the environment's own."""
    base = base_python()
    if can_install_elsewhere(base):
        return [base, "-m", "pip", "--python", str(python)]
    if succeeds([str(python), "-m", "pip", "--version"]):
        return [str(python), "-m", "pip"]
    raise BootstrapFailed("there is no pip and no uv. Install python3-venv (Debian, Ubuntu), or uv.")


def can_install_elsewhere(base: str) -> bool:
    """Whether its pip knows `--python`: since 22.3."""
    return succeeds([base, "-m", "pip", "--python", base, "--version"])


def runs(python: Path) -> bool:
    """A Python that is recent enough, and in an environment: not the system's, half turned into one."""
    return succeeds(
        [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"]
    )


def succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def attempt(command: list[str], number: int, shorten: object = None) -> bool:
    """Run it with its output on stderr. Later attempts wait first: mirrors and networks stumble."""
    if number:
        say(f"that failed; trying again ({number + 1} of {ATTEMPTS})")
        time.sleep(2 * number)
    if shorten is None:
        return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in running.stdout or ():
        short = shorten(line.rstrip())  # type: ignore[operator]
        if short:
            print(short, file=sys.stderr, flush=True)
    return running.wait() == 0


def say(text: str) -> None:
    print(f"tollgate: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
