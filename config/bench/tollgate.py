"""Tollgate as a target: a whole one with one web worker, started as anybody starts it, in a data folder of its own.

Everything is on: keys, journal, ledger, fsync. The mock is its upstream.
"""

import contextlib
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from config.bench import loads
from config.bench.measurement import TOLLGATE
from config.bench.pages import Pages, sign_in
from config.bench.processes import command_line, pin, with_descendants
from config.bench.targets import ROOT, Cores, Target, free_port
from config.databases import embedded_url
from config.failures import Failure
from config.postgres.server import EmbeddedServer

START_SECONDS = 90.0
STOP_SECONDS = 60.0
ROUTE_SECONDS = 10.0
QUIET_SECONDS = 4.0
"""The ledger is settled, or will not be, when no row has come for so long: the shipper looks five times a second."""
DISK = Path("/var/tmp")  # noqa: S108 - mkdtemp makes a private folder in it
ORGANIZATION = "Benchmark"


@dataclass
class Tollgate:
    """A running one. `tried` counts the requests made until it answered through the mock."""

    target: Target
    ledger: "Ledger"
    command: Callable[..., str]
    tried: int = 0

    def pages(self) -> Pages:
        return sign_in(self.command("signin-link").split()[-1])

    def recorded(self, sent: int) -> int:
        self.ledger.settle(sent)
        return self.ledger.rows()


class Ledger:
    """The usage records, counted over one connection whose own work is nobody's."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.backend = self.connection.info.backend_pid

    def rows(self) -> int:
        """Requests recorded: a row may stand for several refusals of one second."""
        found = self.connection.execute("SELECT coalesce(sum(requests), 0) FROM metering_usagerecord WHERE is_final")
        (count,) = found.fetchone() or (0,)
        return int(count)

    def settle(self, sent: int) -> None:
        """Wait until there are rows for all requests `sent`, or no more come."""
        rows, since = self.rows(), time.monotonic()
        while rows < sent and time.monotonic() - since < QUIET_SECONDS:
            time.sleep(0.2)
            if (now := self.rows()) != rows:
                rows, since = now, time.monotonic()


@contextlib.contextmanager
def tollgate(mock: Target, cores: Cores) -> Iterator[Tollgate]:
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(_data_folder())
        port = free_port()
        process = stack.enter_context(_up(data, port))
        ledger = Ledger(embedded_url(data))
        stack.callback(ledger.connection.close)
        found = Processes(process.pid, EmbeddedServer(data), ledger.backend)
        for worker in found.web():
            pin(worker, {cores.measured})
        gateway = _furnish(data, f"http://127.0.0.1:{port}", mock, found, ledger)
        yield gateway


class Processes:
    """Which of our processes is what, asked anew each time: helpers and connections come and go."""

    def __init__(self, supervisor: int, server: EmbeddedServer, excluded_backend: int) -> None:
        self.supervisor = supervisor
        self.server = server
        self.excluded = excluded_backend

    def web(self) -> list[int]:
        workers = [pid for pid in with_descendants(self.supervisor) if "config.worker" in command_line(pid)]
        return [pid for worker in workers for pid in with_descendants(worker)]

    def postgres(self) -> list[int]:
        postmaster = self.server.pid
        return [pid for pid in with_descendants(postmaster) if pid != self.excluded] if postmaster else []

    def other(self) -> list[int]:
        elsewhere = {*self.web(), *self.postgres(), self.excluded}
        return [pid for pid in with_descendants(self.supervisor) if pid not in elsewhere]


def _furnish(data: Path, address: str, mock: Target, found: Processes, ledger: Ledger) -> Tollgate:
    """An organization with a key, and the mock as the upstream of all models; back when a request goes through."""

    def command(*words: str) -> str:
        return _command(data, *words)

    organization = command("org", "create", ORGANIZATION)
    key = command("key", "create", "--organization", organization, "--name", "bench")
    credential = data / "mock-credential"
    credential.write_text("sk-mock\n")
    command(
        "upstream",
        "add",
        "anthropic",
        "--name",
        "mock",
        "--base-url",
        mock.address,
        "--credential-file",
        str(credential),
    )
    target = Target(
        TOLLGATE, address, key=key, web=found.web, postgres=found.postgres, other=found.other, settle=ledger.settle
    )
    return Tollgate(target, ledger, command, tried=_try_route(target))


def _try_route(target: Target) -> int:
    """Ask until the mock is who answers; how many requests that took."""
    request = loads.request(loads.JSON, host=urlsplit(target.address).netloc, key=target.key)
    headers = dict(line.split(": ", 1) for line in request.decode().split("\r\n\r\n")[0].split("\r\n")[1:])
    deadline, tried = time.monotonic() + ROUTE_SECONDS, 0
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(urlsplit(target.address).netloc, timeout=ROUTE_SECONDS)
        connection.request("POST", "/v1/messages", body=loads.body(loads.JSON), headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        tried += 1
        if answer.status == 200 and b"msg_01Bench" in body:
            return tried
        time.sleep(0.2)
    raise Failure(f"Tollgate does not reach the mock upstream: {answer.status} {body[:300].decode(errors='replace')}")


@contextlib.contextmanager
def _data_folder() -> Iterator[Path]:
    """On a disk, as a real one: `/tmp` is memory on many machines, where fsync costs nothing."""
    folder = Path(tempfile.mkdtemp(prefix="tollgate-bench-", dir=DISK if DISK.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _up(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    said = data / "up.log"
    command = [sys.executable, "-m", "config.cli", "up", "--workers", "1", "--port", str(port), "--data", str(data)]
    with (
        said.open("wb") as log,
        subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait_until_ready(process, port, said)
            yield process
        finally:
            process.terminate()
            process.wait(timeout=STOP_SECONDS)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                connection.close()
                return
        connection.close()
        time.sleep(0.1)
    raise Failure(f"Tollgate did not start:\n{said.read_text(errors='replace')[-2000:]}")


def _command(data: Path, *words: str) -> str:
    """What `./tollgate WORDS` prints on stdout."""
    command = [sys.executable, "-m", "config.cli", *words, "--data", str(data)]
    done = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Failure(f"./tollgate {' '.join(words[:2])} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def _environment() -> dict[str, str]:
    """Ours without settings: every run measures what Tollgate is out of the box, with fsync, on its own database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOLLGATE_", "DATABASE_URL"))}
    return kept | {name: os.environ[name] for name in ("TOLLGATE_PG_BIN",) if name in os.environ}
