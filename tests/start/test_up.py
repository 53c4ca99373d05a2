"""`up`: whole, twice, after every kind of death, and in nobody's way."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from config.listening import free_port
from tests.gateway import Factory, Gateway, wait_until


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@pytest.fixture(scope="module")
def standing() -> Iterator[Gateway]:
    """One that several tests look at, and may hurt as long as it heals."""
    factory = Factory()
    yield factory(workers=2)
    factory.close()


def test_it_answers_and_says_where_and_how(standing: Gateway) -> None:
    assert httpx.get(f"{standing.address}/healthz").text == "ok"
    assert httpx.get(f"{standing.address}/readyz").text == "ready"
    assert standing.api_key.startswith("sk-toll-api01-")
    assert standing.signin_link.startswith(f"{standing.address}/signin/")
    assert {"supervisor", "worker 1", "worker 2", "jobs", "simulator", "postgres"} == set(standing.pids())


def test_a_second_up_on_one_data_folder_is_refused(standing: Gateway) -> None:
    second = standing.command("up", "--port", str(free_port()), check=False)

    assert second.returncode == 1
    assert f"already running on {standing.data} (process {standing.supervisor})" in second.stderr


@pytest.mark.parametrize("name", ["worker 1", "jobs", "simulator", "postgres"])
def test_what_is_killed_comes_back(standing: Gateway, name: str) -> None:
    before = standing.pids()[name]

    standing.kill(name)

    wait_until(lambda: standing.pids().get(name, before) != before, what=f"a new {name}")
    wait_until(lambda: _status(f"{standing.address}/readyz") == 200, what="ready again")


def test_commands_work_beside_it_and_leave_its_server_running(standing: Gateway) -> None:
    server = standing.pids()["postgres"]

    standing.command("org", "create", "acme")

    assert standing.pids()["postgres"] == server
    assert lives(server)


def test_ctrl_c_leaves_nothing_behind(gateway: Factory) -> None:
    running = gateway(workers=2)
    pids = running.pids()

    code = running.stop(signal.SIGINT)

    assert code == 0
    assert not [name for name, pid in pids.items() if lives(pid)]
    assert not (running.data / "processes.json").exists()


def test_a_second_start_keeps_everything_and_shows_no_key(gateway: Factory) -> None:
    running = gateway()
    first_key, first_link = running.api_key, running.signin_link
    running.stop()

    running.start()

    assert "API key" not in running.printed
    assert running.api_key == first_key
    assert running.signin_link != first_link


def test_a_busy_port_is_said_before_anything_is_started(gateway: Factory) -> None:
    idle = gateway(start=False)

    with socket.create_server(("127.0.0.1", idle.port)):
        refused = idle.command("up", "--port", str(idle.port), check=False)

    assert refused.returncode == 1
    assert f"port {idle.port} on 127.0.0.1 is in use" in refused.stderr
    assert not list(idle.data.glob("pg*"))


def test_children_end_with_a_killed_supervisor_and_the_next_up_takes_over(gateway: Factory) -> None:
    running = gateway(workers=2)
    pids = running.pids()

    running.kill("supervisor")
    running.start()

    assert httpx.get(f"{running.address}/healthz").is_success
    assert not [name for name in ("worker 1", "worker 2", "jobs") if lives(pids[name])]


def test_it_starts_after_everything_was_killed_at_once(gateway: Factory) -> None:
    running = gateway()
    key = running.api_key

    running.kill_all()
    running.start()

    assert running.api_key == key
    assert httpx.get(f"{running.address}/readyz").is_success


def test_a_killed_database_with_living_orphans_is_waited_for(gateway: Factory) -> None:
    running = gateway()

    os.kill(running.pids()["postgres"], signal.SIGKILL)
    running.kill("supervisor")
    running.start()

    assert httpx.get(f"{running.address}/readyz").is_success


def test_a_stale_pid_file_with_the_number_of_another_process_is_no_server(gateway: Factory) -> None:
    running = gateway()
    running.stop()
    (cluster,) = running.data.glob("pg[0-9]*")
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n{int(time.time())}\n5432\n\n\n\nready\n")

    running.start()

    assert httpx.get(f"{running.address}/readyz").is_success


def test_another_secret_is_refused_and_the_file_to_restore_named(gateway: Factory) -> None:
    running = gateway()
    running.stop()
    (running.data / "secret.key").unlink()

    refused = running.command("up", "--port", str(free_port()), check=False)

    assert refused.returncode == 1
    assert f"Restore the original {running.data / 'secret.key'}" in refused.stderr


def test_a_host_beyond_this_machine_without_public_address_is_warned_about(gateway: Factory) -> None:
    assert "TOLLGATE_PUBLIC_URL is not set" in gateway(arguments=("--host", "0.0.0.0")).printed


def _status(address: str) -> int:
    try:
        return httpx.get(address).status_code
    except httpx.TransportError:
        return 0
