"""A whole Tollgate for journeys: `up` as an operator runs it, with a data folder and a database of its own.

    def test_something(gateway):
        running = gateway(workers=2)
        httpx.get(f"{running.address}/healthz")

`shared_gateway` is one for the whole test run, for tests that only send requests to it.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from config.listening import free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90
STOP_SECONDS = 60


_alive, _ = os.pipe()
"""Whatever a test starts holds the reading end; the writing end closes with the test run, however that ends."""


class Outside:
    """A simulator that survives whatever is done to the gateway."""

    def __init__(self, folder: Path) -> None:
        self.ledger = folder / "simulator.jsonl"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        arguments = ["simulator", "--port", str(self.port), "--ledger", str(self.ledger)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "config.cli", *arguments],
            env=clean_environment() | {"TOLLGATE_PARENT_FD": str(_alive)},
            pass_fds=[_alive],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class Gateway:
    """One installation. `stop` and `start` as often as needed; address, folder and key stay."""

    def __init__(
        self,
        data: Path,
        *,
        workers: int = 1,
        arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.data = data
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.api_key = ""
        self.signin_link = ""
        self.printed = ""
        self.log = data.with_name(f"{data.name}.log")
        self.environment = clean_environment() | (environment or {})
        self._arguments = ["up", "--port", str(self.port), "--workers", str(workers), "--data", str(data), *arguments]
        self._process: subprocess.Popen[str] | None = None

    @property
    def database_url(self) -> str:
        """For `psycopg.connect`."""
        from config.databases import embedded_url

        return self.environment.get("DATABASE_URL") or embedded_url(self.data.resolve())

    @property
    def supervisor(self) -> int:
        assert self._process is not None
        return self._process.pid

    def pids(self) -> dict[str, int]:
        """By name: `supervisor`, `worker 1`, ..., `jobs`, `simulator`, `postgres`."""
        try:
            return dict(json.loads((self.data / "processes.json").read_text()))
        except FileNotFoundError:
            return {}

    def start(self) -> "Gateway":
        """Returns when it answers. Fails with its own words when it does not."""
        self._process = self._spawn()
        self.printed = self._read_announcement(self._process)
        self.signin_link = _found(r"Sign in\s+(\S+)", self.printed)
        self.api_key = _found(r"API key\s+(\S+)", self.printed) or self.api_key
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it in good order; its exit code."""
        if self._process is None:
            return 0
        self.signal(number)
        return self.wait()

    def signal(self, number: signal.Signals) -> None:
        """To the supervisor, without waiting."""
        os.kill(self.supervisor, number)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self, name: str = "supervisor") -> None:
        os.kill(self.pids()[name], signal.SIGKILL)
        if name == "supervisor":
            self.wait()

    def kill_all(self) -> None:
        """Everything at once, as a power cut would; the database's own children as well."""
        from config.postgres.process import orphans

        pids = self.pids()
        for pid in pids.values():
            _kill(pid)
        for cluster in self.data.glob("pg[0-9]*"):
            for pid in orphans(cluster):
                _kill(pid)
        if "supervisor" in pids:
            self.wait()

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`./tollgate ARGUMENTS` on this installation."""
        done = subprocess.run(
            [sys.executable, "-m", "config.cli", *arguments, "--data", str(self.data)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert not check or done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stderr}"
        return done

    def remove(self) -> None:
        """Stop it however it stands, and delete what it wrote."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill_all()
        self._stop_orphaned_database()
        shutil.rmtree(self.data, ignore_errors=True)

    def _stop_orphaned_database(self) -> None:
        from config.postgres.server import EmbeddedServer

        if self.data.exists() and "DATABASE_URL" not in self.environment:
            EmbeddedServer(self.data).stop()

    def _spawn(self) -> subprocess.Popen[str]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "config.cli", *self._arguments],
                env=self.environment | {"TOLLGATE_PARENT_FD": str(_alive)},
                pass_fds=[_alive],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def _read_announcement(self, process: subprocess.Popen[str]) -> str:
        watchdog = threading.Timer(START_SECONDS, process.kill)
        watchdog.start()
        lines: list[str] = []
        try:
            for line in process.stdout or ():
                lines.append(line)
                if line.startswith("Ctrl-C"):
                    return "".join(lines)
        finally:
            watchdog.cancel()
        process.wait()
        raise AssertionError(f"up ended with {process.returncode}:\n{self.log.read_text()}")


class Factory:
    """Makes gateways and removes them."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tg-"))
        self._folder.chmod(0o755)  # as root, PostgreSQL may run as another user
        self._made: list[Gateway] = []
        self._outside: list[Outside] = []

    def __call__(
        self,
        *,
        workers: int = 1,
        arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        data: Path | None = None,
        simulator: Outside | None = None,
        start: bool = True,
    ) -> Gateway:
        environment = dict(environment or {})
        if simulator is not None:
            environment["TOLLGATE_SIMULATOR_URL"] = simulator.address
        data = data or self._folder / f"g{len(self._made)}"
        made = Gateway(data, workers=workers, arguments=arguments, environment=environment)
        self._made.append(made)
        return made.start() if start else made

    def outside_simulator(self) -> Outside:
        """Hand it to the factory as `simulator`: the gateway then starts none of its own."""
        self._outside.append(Outside(self._folder))
        return self._outside[-1]

    def close(self) -> None:
        for made in self._made:
            made.remove()
        for outside in self._outside:
            outside.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def clean_environment() -> dict[str, str]:
    """What the developer's shell says about Tollgate must not reach the tests."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
        and (not name.startswith("TOLLGATE_") or name.startswith("TOLLGATE_PG_"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), "TOLLGATE_DATABASE_FSYNC": "off"}


def wait_until(condition: Callable[[], object], *, seconds: float = 10.0, what: str = "it") -> None:
    """Poll a callable until it is true."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)


@pytest.fixture
def gateway() -> Iterator[Factory]:
    factory = Factory()
    yield factory
    factory.close()


@pytest.fixture(scope="session")
def shared_gateway() -> Iterator[Gateway]:
    factory = Factory()
    yield factory(workers=2)
    factory.close()


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
