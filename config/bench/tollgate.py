"""Tollgate as a target: a whole one with one web worker, started as anybody starts it, in a data folder of its own.

Everything is on: keys, journal, ledger, fsync. The mock is its upstream.
"""

import contextlib
import http.client
import json
import os
import re
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
from config.bench.processes import pin, with_descendants
from config.bench.targets import ROOT, Cores, Target, free_port
from config.databases import embedded_url
from config.failures import Failure

START_SECONDS = 90.0
STOP_SECONDS = 60.0
ROUTE_SECONDS = 10.0
QUIET_SECONDS = 4.0
"""The ledger is settled, or will not be, when no row has come for so long: the shipper looks five times a second."""
DISK = Path("/var/tmp")  # noqa: S108 - mkdtemp makes a private folder in it
_CLI = [sys.executable, "-m", "config.cli"]


@dataclass(frozen=True)
class Tollgate:
    """A running one. `tried` counts the requests made until it answered through the mock."""

    target: Target
    ledger: "Ledger"
    signin_link: str
    tried: int

    def pages(self) -> Pages:
        return sign_in(self.signin_link)

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
        address = f"http://127.0.0.1:{free_port()}"
        announced = stack.enter_context(_up(data, address))
        _add_upstream(data, mock)
        ledger = Ledger(embedded_url(data))
        stack.callback(ledger.connection.close)
        ours = Processes(data, ledger.backend)
        for process in ours.web():
            pin(process, {cores.measured})
        target = Target(
            TOLLGATE,
            address,
            key=_found(r"API key\s+(\S+)", announced),
            web=ours.web,
            postgres=ours.postgres,
            other=ours.other,
            settle=ledger.settle,
        )
        yield Tollgate(target, ledger, _found(r"Sign in\s+(\S+)", announced), tried=_try_route(target))


class Processes:
    """Which of our processes is what, asked anew each time: helpers and connections come and go."""

    def __init__(self, data: Path, excluded_backend: int) -> None:
        self.file = data / "processes.json"
        self.excluded = excluded_backend

    def web(self) -> list[int]:
        return self._below(lambda name: name.startswith("worker"))

    def postgres(self) -> list[int]:
        return [pid for pid in self._below(lambda name: name == "postgres") if pid != self.excluded]

    def other(self) -> list[int]:
        """Supervisor, jobs, simulator: what is below the supervisor and neither of the above."""
        elsewhere = {*self.web(), *self.postgres(), self.excluded}
        return [pid for pid in self._below(lambda name: name == "supervisor") if pid not in elsewhere]

    def _below(self, is_meant: Callable[[str], bool]) -> list[int]:
        pids = [pid for name, pid in json.loads(self.file.read_text()).items() if is_meant(name)]
        return [below for pid in pids for below in with_descendants(pid)]


def _add_upstream(data: Path, mock: Target) -> None:
    """The mock becomes the first choice for all models, by the command that operators use."""
    credential = data / "mock-credential"
    credential.write_text("sk-mock\n")
    words = ["upstream", "add", "anthropic", "--name", "mock", "--model", "*", "--base-url", mock.address]
    command = [*_CLI, *words, "--credential-file", str(credential), "--data", str(data)]
    done = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Failure(f"the mock could not be added as an upstream: {done.stderr.strip()}")


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise Failure(f"up printed no {pattern.partition(chr(92))[0]}:\n{text}")
    return found.group(1)


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
def _up(data: Path, address: str) -> Iterator[str]:
    """`up` in the block; what it printed on stdout when it was ready."""
    port = str(urlsplit(address).port)
    command = [*_CLI, "up", "--workers", "1", "--port", port, "--data", str(data)]
    printed, said = data / "up.out", data / "up.log"
    with printed.open("wb") as out, said.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=log
        )  # noqa: S603
    try:
        yield _announcement(process, printed, said)
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)


def _announcement(process: subprocess.Popen[bytes], printed: Path, said: Path) -> str:
    """`up` announces itself when it is ready; its last words when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        text = printed.read_text()
        if "Ctrl-C" in text:
            return text
        time.sleep(0.05)
    raise Failure(f"Tollgate did not start:\n{said.read_text(errors='replace')[-2000:]}")


def _environment() -> dict[str, str]:
    """Ours without settings: every run measures what Tollgate is out of the box, with fsync, on its own database."""
    settings = ("TOLLGATE_", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return kept | {name: os.environ[name] for name in ("TOLLGATE_PG_BIN",) if name in os.environ}
