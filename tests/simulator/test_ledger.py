"""The ledger: everything that arrived, before it was answered, and what became of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import httpx
import pytest

from tests.simulator.running import HEADERS, ROOT, RunningSimulator, hello


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_a_request_is_written_down_twice(simulator: RunningSimulator) -> None:
    answer = simulator.post(hello(), x_tollgate_simulator_request_id="req_gateway")

    both = [e for e in simulator.entries() if e["request_id"] == answer.headers["request-id"]]
    assert [entry["event"] for entry in both] == ["received", "finished"]
    assert {entry["gateway_request_id"] for entry in both} == {"req_gateway"}
    assert both[1]["outcome"] == "finished"
    assert both[1]["usage"] == answer.json()["usage"]
    assert both[1]["message_id"] == answer.json()["id"]


def test_a_stream_leaves_the_usage_that_a_client_folds(simulator: RunningSimulator) -> None:
    answer = simulator.post(hello(stream=True))

    assert simulator.end_of(answer.headers["request-id"])["usage"] == simulator.usage(hello())


def test_it_is_written_before_the_answer(simulator: RunningSimulator) -> None:
    before = simulator.client.get("/simulator/ledger").json()["next"]
    impatient = httpx.Client(base_url=simulator.address, headers=HEADERS, timeout=0.3)

    with pytest.raises(httpx.ReadTimeout):
        impatient.post("/v1/messages", json=hello(), headers={"x-tollgate-simulator-fault": "stall-before-headers=5"})

    until(lambda: len(simulator.entries(before)) == 2)
    received, finished = simulator.entries(before)
    assert (received["event"], received["model"]) == ("received", "claude-sonnet-4-5")
    assert (finished["outcome"], finished["usage"]) == ("cut", None)


def test_a_refused_request_is_there_too(simulator: RunningSimulator) -> None:
    answer = simulator.post(hello(model="nobody"))

    end = simulator.end_of(answer.headers["request-id"])
    assert (end["outcome"], end["status"], end["usage"]) == ("refused", 404, None)


def test_a_client_that_leaves_is_noticed(simulator: RunningSimulator) -> None:
    pace = {"x-tollgate-simulator-pace": "events-per-second=20"}
    with simulator.client.stream("POST", "/v1/messages", json=hello(stream=True), headers=pace) as answer:
        next(answer.iter_raw())
    request_id = answer.headers["request-id"]

    until(lambda: any(e["event"] == "finished" and e["request_id"] == request_id for e in simulator.entries()))

    assert simulator.end_of(request_id)["outcome"] == "cut"


def test_the_ledger_is_read_in_pieces(simulator: RunningSimulator) -> None:
    before = simulator.client.get("/simulator/ledger").json()["next"]
    simulator.post(hello())

    page = simulator.client.get("/simulator/ledger", params={"since": before}).json()

    assert [entry["event"] for entry in page["entries"]] == ["received", "finished"]
    assert page["in_flight"] == 0
    assert simulator.client.get("/simulator/ledger", params={"since": page["next"]}).json()["entries"] == []


def test_it_survives_a_kill(another_simulator: Callable[..., RunningSimulator]) -> None:
    first = another_simulator()
    first.post(hello())
    os.kill(first.pid, signal.SIGKILL)

    second = another_simulator()
    second.post(hello())

    lines = [json.loads(line) for line in second.ledger.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["received", "finished"] * 2
    assert second.entries() == lines


def test_it_ends_when_its_parent_does() -> None:
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "relay.upstreams.simulator", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "TOLLGATE_PARENT_FD": str(read_end)},
        pass_fds=[read_end],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.close(read_end)

    os.close(write_end)

    assert process.wait(10) == 0
    process.stdout.close()


def test_a_busy_port_is_a_clear_error(simulator: RunningSimulator) -> None:
    port = simulator.address.rpartition(":")[2]

    ended = subprocess.run(
        [sys.executable, "-m", "relay.upstreams.simulator", "--port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
