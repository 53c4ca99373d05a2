"""What is measured: an address, and the processes behind it."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from config.bench import nginx
from config.bench.measurement import DIRECT, NGINX
from config.bench.processes import pin, with_descendants

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cores:
    """The measured worker has a core to itself; all others share the rest, if there is one."""

    measured: int
    others: tuple[int, ...]

    @classmethod
    def of_this_machine(cls) -> "Cores":
        *others, measured = sorted(os.sched_getaffinity(0))
        return cls(measured=measured, others=tuple(others) or (measured,))

    @property
    def generator(self) -> int:
        return self.others[0]

    @property
    def mock(self) -> int:
        return self.others[1 % len(self.others)]


@dataclass(frozen=True)
class Target:
    """`web`, `postgres` and `other` list the living processes of each kind.

    `settle` waits until the work behind the answers is done; it takes the number of requests sent so far.
    """

    name: str
    address: str
    web: Callable[[], list[int]]
    key: str = "none"
    postgres: Callable[[], list[int]] = list
    other: Callable[[], list[int]] = list
    settle: Callable[[int], None] = field(default=lambda sent: None)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def mock_upstream(cores: Cores) -> Iterator[Target]:
    """The mock in a process of its own, as a target of its own: what it and the load generator can do alone."""
    command = [sys.executable, "-m", "config.bench.mock", "--core", str(cores.mock), "--end-with-stdin"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        try:
            assert process.stdout
            address = process.stdout.readline().split()[-1]
            yield Target(DIRECT, address, web=lambda: [process.pid])
        finally:
            process.terminate()


@contextlib.contextmanager
def nginx_proxy(program: str, mock: Target, cores: Cores) -> Iterator[Target]:
    port = free_port()
    with nginx.running(program, port=port, mock_port=int(mock.address.rpartition(":")[2])) as master:
        for worker in nginx.workers(master):
            pin(worker, {cores.measured})
        yield Target(NGINX, f"http://127.0.0.1:{port}", web=lambda: with_descendants(master))
