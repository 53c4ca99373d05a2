"""A child process that is kept alive: started, started again when it dies, stopped in good order."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from config.failures import Failure

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 10.0
STEADY_SECONDS = 30.0
"""A child that ran this long has recovered: its next death is a first one again."""


class Lifeline:
    """A pipe whose reading end all children inherit. It closes with this process, however that ends."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()

    def close(self) -> None:
        os.close(self.reading)
        os.close(self._writing)


class Child:
    """One kept process. `on_change` is told of every start and end, so that others can see who runs."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        lifeline: Lifeline,
        inherit: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.spawned = asyncio.Event()
        self.died_early: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._arguments = arguments
        self._inherit = (*inherit, lifeline.reading)
        self._environment = {**os.environ, **(environment or {}), "TOLLGATE_PARENT_FD": str(lifeline.reading)}
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._is_stopping = False
        self._keeping = asyncio.create_task(self._keep())

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    def terminate(self) -> None:
        """Ask it to end. A second time means: now."""
        self._is_stopping = True
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)

    async def ended(self, within: float) -> None:
        """Wait for the end after `terminate`; a child that takes longer than `within` seconds is killed."""
        try:
            await asyncio.wait_for(asyncio.shield(self._keeping), within)
        except TimeoutError:
            _say(f"{self.name} did not end within {within:.0f} s and is killed")
            if self._process and self._process.returncode is None:
                self._process.kill()
            await self._keeping

    async def _keep(self) -> None:
        delay = FIRST_DELAY_SECONDS
        while not self._is_stopping:
            started = time.monotonic()
            code = await self._run_once()
            if self._is_stopping:
                return
            lived = time.monotonic() - started
            if not self.died_early.done() and lived < STEADY_SECONDS:
                self.died_early.set_result(code)
            delay = FIRST_DELAY_SECONDS if lived >= STEADY_SECONDS else min(delay * 2, LONGEST_DELAY_SECONDS)
            _say(f"{self.name} ended with {_reason(code)}; starting it again")
            await asyncio.sleep(delay)

    async def _run_once(self) -> int:
        """A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which orders the stop."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            env=self._environment,
            pass_fds=self._inherit,
            start_new_session=True,
        )
        self._on_change()
        self.spawned.set()
        if self._is_stopping:  # the order came while it was being started
            self._process.terminate()
        code = await self._process.wait()
        self._on_change()
        return code


async def first_to_fail(children: Sequence[Child]) -> None:
    """Raises `Failure` when one of the children dies; otherwise waits until cancelled."""
    done, _ = await asyncio.wait([child.died_early for child in children], return_when=asyncio.FIRST_COMPLETED)
    failed = next(child for child in children if child.died_early in done)
    raise Failure(f"{failed.name} does not start ({_reason(failed.died_early.result())}); its own words are above.")


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _say(text: str) -> None:
    print(f"tollgate: {text}", file=sys.stderr, flush=True)
