"""One embedded server: made, started, found alive, stopped. Whoever uses it shares a lock on the data folder."""

import functools
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from config.databases import SOCKET_PORT, socket_folder
from config.locks import FileLock, waiting_for
from config.postgres.binaries import Binaries, find_binaries
from config.postgres.privileges import Identity, reachable, server_identity
from config.postgres.process import forget_dead, postmaster

ORPHANS_SECONDS = 10
"""After a kill -9 the old server's children hold its shared memory for a while; starting fails until they end."""
RECOVERY_SECONDS = 300
_ADMINISTRATOR = "postgres"
_APPLICATION = "tollgate"


class DatabaseFailed(Exception):
    """The server could not be made or started; the message holds what it said."""


class EmbeddedServer:
    """The server of one data folder, in `<data>/pg<major>`, reached through a socket in a folder only we can enter."""

    def __init__(self, data: Path) -> None:
        self.data = data.resolve()
        self.sockets = socket_folder(self.data)
        self._lock: FileLock | None = None

    @functools.cached_property
    def _identity(self) -> Identity:
        return server_identity()

    @functools.cached_property
    def _binaries(self) -> Binaries:
        return reachable(find_binaries(), self._identity, self.data)

    @property
    def cluster(self) -> Path:
        return self.data / f"pg{self._binaries.major}"

    @property
    def pid(self) -> int | None:
        return postmaster(self.cluster)

    @contextmanager
    def used(self, *, durable: bool = True) -> Iterator["EmbeddedServer"]:
        """Running in the block."""
        self.enter(durable=durable)
        try:
            yield self
        finally:
            self.leave()

    def enter(self, *, durable: bool = True) -> None:
        """Become one of the users, and have it running."""
        self.hold()
        try:
            self.start(durable=durable)
        except BaseException:
            self.leave()
            raise

    def hold(self) -> None:
        """Become one of the users of a server that somebody else has started."""
        self.data.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.data / "database.lock")
        self._lock.share()

    def leave(self) -> None:
        """The last of all users, in any process, stops it."""
        if self._lock is None:
            return
        if self._lock.try_alone():
            self.stop()
        self._lock.close()
        self._lock = None

    def start(self, *, durable: bool = True) -> None:
        """Make the cluster if there is none, and have its server answer. A live server is used as it is."""
        with waiting_for(self.data / "database.start.lock"):
            self._make(durable)
            if self.pid is None:
                self._launch(durable)
            self._wait_until_it_answers()
            self._create_database()

    def stop(self) -> None:
        if self.pid is not None:
            self._control("stop", "-m", "fast", "-w", "-t", "60")

    def _make(self, durable: bool) -> None:
        """initdb beside the final place, then a rename: a cluster is there whole or not at all."""
        if (self.cluster / "PG_VERSION").exists():
            return
        self._refuse_other_version()
        draft = self.cluster.with_name(f"{self.cluster.name}.new")
        self._remove(draft)
        draft.mkdir(mode=0o700)
        self._identity.own(draft)
        made = self._identity.run(
            [self._binaries.folder / "initdb", "-D", draft, *self._initdb_options(durable)], draft
        )
        if made.returncode:
            raise DatabaseFailed(f"initdb failed:\n{made.stdout}")
        draft.rename(self.cluster)

    def _initdb_options(self, durable: bool) -> list[str]:
        """Trust is for those who can enter the socket's folder: this user alone."""
        sorting = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self._binaries.major >= 17 else []
        haste = [] if durable else ["--no-sync"]
        return ["-U", _ADMINISTRATOR, "--auth=trust", "-E", "UTF8", "--locale=C", *sorting, *haste]

    def _refuse_other_version(self) -> None:
        others = [path.name for path in self.data.glob("pg[0-9]*") if (path / "PG_VERSION").exists()]
        if others:
            raise DatabaseFailed(
                f"{self.data} holds a database of PostgreSQL {others[0][2:]}, but the programs in "
                f"{self._binaries.folder} are version {self._binaries.major}. Set TOLLGATE_PG_BIN to the older ones."
            )

    def _remove(self, folder: Path) -> None:
        if folder.exists():
            self._identity.run(["rm", "-rf", folder], self.data)

    def _launch(self, durable: bool) -> None:
        self._prepare_socket_folder()
        self._identity.own(self.cluster)
        give_up = time.monotonic() + ORPHANS_SECONDS
        while True:
            forget_dead(self.cluster)
            said = self._control("start", "-w", "-t", "2", "-l", str(self._log), "-o", self._options(durable))
            if self.pid is not None:  # it runs, or has begun to repair what a crash left
                return
            if time.monotonic() > give_up:
                raise DatabaseFailed(f"PostgreSQL does not start:\n{said}{self._last_words()}")
            time.sleep(0.2)

    def _prepare_socket_folder(self) -> None:
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        self._identity.own(self.sockets)
        found = self.sockets.stat()
        if self.sockets.is_symlink() or found.st_uid != self._identity.owner:
            raise DatabaseFailed(f"{self.sockets} belongs to somebody else; remove it.")
        self.sockets.chmod(0o700)

    def _options(self, durable: bool) -> str:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "port": str(SOCKET_PORT),
            "timezone": "UTC",
            "log_checkpoints": "off",
            "jit": "off",
        }
        if not durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return " ".join(shlex.quote(f"--{name}={value}") for name, value in settings.items())

    def _wait_until_it_answers(self) -> None:
        """A server that was killed reads its log first; that may take a while, and is not a failure."""
        give_up = time.monotonic() + RECOVERY_SECONDS
        while not self._answers():
            if self.pid is None or time.monotonic() > give_up:
                raise DatabaseFailed(f"PostgreSQL does not answer:\n{self._last_words()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            self._connect(_ADMINISTRATOR).close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg.Connection:
        address = psycopg.conninfo.make_conninfo(
            host=str(self.sockets), port=SOCKET_PORT, user=_ADMINISTRATOR, dbname=database, connect_timeout=5
        )
        return psycopg.connect(address, autocommit=True)

    def _create_database(self) -> None:
        """The application's role owns its database and may make others (for tests), and is no superuser."""
        name = sql.Identifier(_APPLICATION)
        with self._connect("postgres") as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [_APPLICATION]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(name))
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [_APPLICATION]).rowcount:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))

    def _control(self, *arguments: str) -> str:
        return self._identity.run(
            [self._binaries.folder / "pg_ctl", "-s", "-D", self.cluster, *arguments], self.cluster
        ).stdout

    @property
    def _log(self) -> Path:
        return self.cluster / "server.log"

    def _last_words(self, lines: int = 15) -> str:
        try:
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""
