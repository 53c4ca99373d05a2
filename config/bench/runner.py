"""The benchmark's story: start everything, run the loads in turns, count the rows, report."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from config.bench import nginx
from config.bench.figures import middle
from config.bench.loads import JSON, PACED, SSE, Load
from config.bench.measurement import TOLLGATE, Measurement, Stage
from config.bench.measuring import measure
from config.bench.pages import Pages
from config.bench.report import Report, report
from config.bench.targets import Cores, Target, mock_upstream, nginx_proxy
from config.bench.tollgate import Tollgate, tollgate

MOST_ROUNDS = 3
SHORTEST_WINDOW_SECONDS = 0.5


@dataclass
class Bench:
    """The targets of one run and what was measured of them so far."""

    targets: list[Target]
    mock: Target
    gateway: Tollgate
    cores: Cores
    seconds: float
    done: list[Measurement] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """Requests sent to Tollgate, those that tried its route included."""
        return self.gateway.tried + sum(one.sent for one in self.done if one.target == TOLLGATE)

    def open_streams(self) -> None:
        """First, while the workers are fresh: memory that an earlier load left free would hide what a stream takes."""
        for target in self.targets:
            self.measure(target, replace(JSON, connections=8), SHORTEST_WINDOW_SECONDS, Stage.WARM_UP)
        for target in self.targets:
            self.measure(target, PACED, self.seconds, Stage.FULL)

    def full_speed(self, load: Load) -> None:
        """In short turns, so that a noisy minute of the machine touches all targets alike."""
        for _ in range(self.rounds):
            for target in self.targets:
                self.measure(target, load, self.turn, Stage.FULL)

    def half_load(self, load: Load) -> None:
        rate = self.half_rate(load)
        for target in self.targets:
            self.measure(target, load, self.seconds, Stage.HALF, rate)

    def console_pages(self, pages: Pages) -> None:
        """In turns, too, but long ones: each has to hold every room of the console, at two pages a second."""
        rate = self.half_rate(JSON)
        for _ in range(self.rounds):
            self.measure(self.gateway.target, JSON, self.seconds, Stage.QUIET, rate)
            with pages.asked_for():
                self.measure(self.gateway.target, JSON, self.seconds, Stage.PAGES, rate)

    def half_rate(self, load: Load) -> float:
        """Half of the requests a second that Tollgate answers at full speed."""
        full = [one for one in self.done if (one.target, one.load, one.stage) == (TOLLGATE, load.name, Stage.FULL)]
        return max(1.0, (middle(one.requests / one.seconds for one in full) or 0) / 2)

    @property
    def rounds(self) -> int:
        return max(1, min(MOST_ROUNDS, int(self.seconds / SHORTEST_WINDOW_SECONDS)))

    @property
    def turn(self) -> float:
        return self.seconds / self.rounds

    def measure(self, target: Target, load: Load, seconds: float, stage: Stage, rate: float | None = None) -> None:
        one = measure(
            target, load, seconds, mock=self.mock, cores=self.cores, stage=stage, rate=rate, sent_before=self.sent
        )
        self.done.append(one)
        _say(_progress(one))


def run(*, seconds: float, with_console: bool) -> Report:
    """The whole benchmark; progress goes to stderr."""
    cores = Cores.of_this_machine()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_beside(cores))
        _say("starting the mock upstream, Tollgate and nginx ...")
        mock = stack.enter_context(mock_upstream(cores))
        gateway = stack.enter_context(tollgate(mock, cores))
        proxy = list(_nginx(stack, mock, cores))
        pages = gateway.pages() if with_console else None
        bench = Bench([gateway.target, *proxy, mock], mock, gateway, cores, seconds)
        bench.open_streams()
        for load in (JSON, SSE):
            bench.full_speed(load)
            bench.half_load(load)
        if pages:
            bench.console_pages(pages)
        return report(bench.done, sent=bench.sent, recorded=gateway.recorded(bench.sent))


@contextlib.contextmanager
def _beside(cores: Cores) -> Iterator[None]:
    """Keep off the measured core, as everything started from here then does, too."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores.others)
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _nginx(stack: contextlib.ExitStack, mock: Target, cores: Cores) -> Iterator[Target]:
    program = nginx.find()
    if program:
        yield stack.enter_context(nginx_proxy(program, mock, cores))


def _progress(one: Measurement) -> str:
    if one.events and not one.requests:
        speed = f"{one.events / one.seconds:9,.0f} events/s"
    else:
        speed = f"{one.requests / one.seconds:9,.0f} requests/s"
    failed = f", {sum(one.failures.values())} failed" if one.failures else ""
    return f"  {one.load:6} {one.stage.value:8} {one.target:9} {one.seconds:5.1f} s {speed}{failed}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
