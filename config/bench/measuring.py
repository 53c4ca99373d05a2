"""One measurement: one load against one target for some seconds, with the processor time it took."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from config.bench.loads import KEY_VARIABLE, Load
from config.bench.measurement import Measurement, Stage
from config.bench.processes import memory_kb, total_cpu_seconds, waited_seconds
from config.bench.targets import ROOT, Cores, Target
from config.failures import Failure


class Account:
    """What some processes spent of something, in seconds, since this account was opened."""

    def __init__(self, pids: Callable[[], list[int]], read: Callable[[list[int]], float] = total_cpu_seconds) -> None:
        self.pids = pids
        self.read = read
        self.opened = read(pids())

    def spent(self) -> float:
        return self.read(self.pids()) - self.opened


def measure(
    target: Target,
    load: Load,
    seconds: float,
    *,
    mock: Target,
    cores: Cores,
    rate: float | None = None,
    stage: Stage = Stage.FULL,
    sent_before: int = 0,
) -> Measurement:
    """Run the load generator in a process of its own and read the accounts where its window opens and closes."""
    memory = memory_kb(target.web())
    postgres, other = Account(target.postgres), Account(target.other)
    with _generator(target, load, seconds, rate, cores) as lines:
        _await(lines, "start", target)
        web, waited, of_mock = Account(target.web), Account(target.web, waited_seconds), Account(mock.web)
        window = _await(lines, "end", target)
        spent: dict[str, Any] = {
            "web_cpu_seconds": web.spent(),
            "web_waited_seconds": waited.spent(),
            "mock_cpu_seconds": of_mock.spent(),
            "memory_growth_kb": memory_kb(target.web()) - memory,
        }
        result = _await(lines, "result", target)
    target.settle(sent_before + result["sent"])
    spent |= {"postgres_cpu_seconds": postgres.spent(), "other_cpu_seconds": other.spent()}
    found = {name: result[name] for name in ("sent", "failures", "latency_ms", "first_byte_ms", "event_delay_ms")}
    return Measurement(target=target.name, load=load.name, stage=stage, rate=rate, **window, **spent, **found)


@contextmanager
def _generator(
    target: Target, load: Load, seconds: float, rate: float | None, cores: Cores
) -> Iterator[Iterator[dict[str, Any]]]:
    """The lines it says, as they come. The key travels where no list of processes shows it."""
    command = [sys.executable, "-m", "config.bench.load", "--url", target.address]
    command += ["--load", load.name, "--connections", str(load.connections)]
    command += ["--seconds", str(seconds), "--core", str(cores.generator)]
    if rate is not None:
        command += ["--rate", str(rate)]
    environment = os.environ | {KEY_VARIABLE: target.key}
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=nothing, stdout=pipe) as process:  # noqa: S603
        assert process.stdout
        try:
            yield map(json.loads, process.stdout)
        except BaseException:
            process.kill()
            raise


def _await(lines: Iterator[dict[str, Any]], what: str, target: Target) -> dict[str, Any]:
    for line in lines:
        if line["at"] == what:
            del line["at"]
            return line
    raise Failure(f"the load generator ended early against {target.name}")
