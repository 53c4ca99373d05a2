"""`up`: one process that starts all others, keeps them running, and stops them in the right order."""

import argparse
import asyncio
import json
import os
import resource
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from config.announcement import Announcement
from config.children import Child, Lifeline, first_to_fail
from config.data_folder import make_data_folder
from config.failures import Failure
from config.listening import address_of, is_loopback, listen
from config.locks import Locked, alone
from config.parent import on_parents_end
from config.postgres.server import DatabaseFailed, EmbeddedServer
from config.postgres.use import database_used, is_durable
from config.readiness import answers
from config.worker import CLOSE_SECONDS, DRAIN_SECONDS

READY_SECONDS = 60.0
JOBS_SECONDS = 20.0
"""For shipping the last of the journal."""
DATABASE_CHECK_SECONDS = 1.0
MOST_FILES = 65_536


@dataclass(frozen=True, slots=True)
class Options:
    data: Path
    host: str
    port: int
    workers: int
    serve: str


def run(options: Options) -> int:
    """Everything, until it is told to stop."""
    make_data_folder(options.data)
    _allow_many_files()
    try:
        with alone(options.data / "up.lock"):
            listening = listen(options.host, options.port)
            return _run_with_database(options, listening)
    except Locked as locked:
        raise Failure(
            f"Tollgate is already running on {options.data} (process {locked.holder}). "
            "Stop it, or choose another data folder with --data DIR."
        ) from locked


def _allow_many_files() -> None:
    """Every open stream is two sockets; the usual limit of 1,024 would be reached at 500. Children inherit ours."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _run_with_database(options: Options, listening: socket.socket) -> int:
    _progress("starting the database")
    with database_used(options.data) as server:
        _progress("preparing the tables")
        announcement = _prepare(options, listening)
        (options.data / "address").write_text(f"{announcement.address}\n")  # for links that commands print
        return asyncio.run(Supervisor(options, listening, server).run(announcement))


def _prepare(options: Options, listening: socket.socket) -> Announcement:
    """Migrations, and what a first start creates. Here Django is loaded: not before, so that errors come fast."""
    from config.installation import prepare

    prepare()
    from config.first_start import welcome

    return welcome(address_of(listening), warn_open=not is_loopback(options.host))


class Supervisor:
    """The processes of one running installation."""

    def __init__(self, options: Options, listening: socket.socket, server: EmbeddedServer | None) -> None:
        self._options = options
        self._listening = listening
        self._server = server
        self._lifeline = Lifeline()
        self._workers: list[Child] = []
        self._jobs: Child | None = None
        self._simulator: Child | None = None
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self, announcement: Announcement) -> int:
        self._listen_to_signals()
        watching = asyncio.create_task(self._watch_database())
        try:
            _progress("starting the servers")
            self._start(announcement)
            if await self._is_ready(announcement.simulator_port):
                self._jobs = self._child("jobs", "config.jobs")  # not before: it would slow the first answer down
                await self._jobs.spawned.wait()
                print(announcement.text(), flush=True)
                await self._stop.wait()
        finally:
            await self._stop_all()
            watching.cancel()
            self._lifeline.close()
        return 0

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        on_parents_end(self._on_signal)

    def _on_signal(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
            for worker in self._workers:
                worker.terminate()
            return
        _progress("stopping: requests in flight may end (again: at once)")
        self._stop.set()

    def _start(self, announcement: Announcement) -> None:
        """The simulator before the workers, so that their first request finds it."""
        if announcement.simulator_port is not None:
            ledger = self._options.data / "simulator" / "ledger.jsonl"
            ledger.parent.mkdir(exist_ok=True)
            port = str(announcement.simulator_port)
            self._simulator = self._child(
                "simulator", "relay.upstreams.simulator", "--port", port, "--ledger", str(ledger)
            )
        self._listening.set_inheritable(True)
        descriptor = self._listening.fileno()
        self._workers = [
            self._child(f"worker {number}", "config.worker", "--fd", str(descriptor), inherit=(descriptor,))
            for number in range(1, self._options.workers + 1)
        ]

    def _child(self, name: str, module: str, *arguments: str, inherit: tuple[int, ...] = ()) -> Child:
        return Child(
            name,
            ["-m", module, *arguments],
            lifeline=self._lifeline,
            inherit=inherit,
            environment={"TOLLGATE_SERVE": self._options.serve, "TOLLGATE_HOST": self._options.host},
            on_change=self._write_processes,
        )

    async def _is_ready(self, simulator_port: int | None) -> bool:
        """True once a request gets an answer; False if told to stop before. A worker that cannot start ends it all."""
        tasks = [
            asyncio.create_task(answers(self._listening, simulator_port)),
            asyncio.create_task(first_to_fail(self._workers)),
            asyncio.create_task(self._stop.wait()),
        ]
        done, waiting = await asyncio.wait(tasks, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        for task in done:
            task.result()
        if not done:
            raise Failure(f"no worker answers within {READY_SECONDS:.0f} s.")
        return not self._stop.is_set()

    async def _stop_all(self) -> None:
        """Workers first: they still need the simulator, and what they wrote last the jobs process ships."""
        self._listening.close()
        for worker in self._workers:
            worker.terminate()
        await asyncio.gather(*(worker.ended(DRAIN_SECONDS + 2 * CLOSE_SECONDS) for worker in self._workers))
        for child in (self._jobs, self._simulator):
            if child is not None:
                child.terminate()
                await child.ended(JOBS_SECONDS)
        self._processes_file.unlink(missing_ok=True)
        (self._options.data / "address").unlink(missing_ok=True)

    async def _watch_database(self) -> None:
        """A database that dies is started again; the others wait for it or answer without."""
        while self._server is not None:
            await asyncio.sleep(DATABASE_CHECK_SECONDS)
            if self._server.pid is not None:
                continue
            _progress("the database is gone; starting it again")
            try:
                await asyncio.to_thread(self._server.start, durable=is_durable())
            except DatabaseFailed as failure:
                print(f"tollgate: {failure}", file=sys.stderr, flush=True)
            self._write_processes()

    def _children(self) -> list[Child]:
        return [child for child in (*self._workers, self._jobs, self._simulator) if child is not None]

    @property
    def _processes_file(self) -> Path:
        return self._options.data / "processes.json"

    def _write_processes(self) -> None:
        """Who runs, for whoever measures or operates: names and process ids, replaced whole."""
        running = {child.name: child.pid for child in self._children() if child.pid is not None}
        if self._server is not None and self._server.pid is not None:
            running["postgres"] = self._server.pid
        draft = self._processes_file.with_suffix(".new")
        draft.write_text(json.dumps({"supervisor": os.getpid(), **running}))
        draft.replace(self._processes_file)


def options_from(arguments: argparse.Namespace) -> Options:
    return Options(
        data=arguments.data,
        host=arguments.host,
        port=arguments.port,
        workers=arguments.workers,
        serve=arguments.serve,
    )


def _progress(text: str) -> None:
    print(f"tollgate: {text} …", file=sys.stderr, flush=True)
