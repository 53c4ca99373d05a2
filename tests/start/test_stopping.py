"""Stopping while requests run: they may end, or are ended honestly; nothing of them is lost."""

import signal
import threading
import time
from contextlib import AbstractContextManager, suppress

import httpx
import psycopg
import pytest

from config.postgres.server import EmbeddedServer
from tests.gateway import Factory, Gateway, wait_until

BODY = {
    "model": "claude-opus-4-8",
    "max_tokens": 400,
    "stream": True,
    "messages": [{"role": "user", "content": "Tell me a long story."}],
}


class Stream(threading.Thread):
    """One streamed request, read to its end in a thread: its bytes, and whether they ended as HTTP says."""

    def __init__(self, gateway: Gateway, *, seconds: float) -> None:
        super().__init__(daemon=True)
        self.seen = b""
        self.request_id = ""
        self.is_whole = False
        self._gateway = gateway
        self._headers = {
            "x-api-key": gateway.api_key,
            "anthropic-version": "2023-06-01",
            "x-tollgate-simulator-pace": f"output-tokens=80; tokens-per-event=4; events-per-second={26 / seconds:.2f}",
        }
        self.start()
        self._wait_for_text()

    def run(self) -> None:
        address = f"{self._gateway.address}/v1/messages"
        with suppress(httpx.RemoteProtocolError), self._open(address) as answer:
            self.request_id = answer.headers["request-id"]
            for piece in answer.iter_raw():
                self.seen += piece
            self.is_whole = True

    def _wait_for_text(self) -> None:
        give_up = time.monotonic() + 10
        while b"content_block_delta" not in self.seen:
            assert time.monotonic() < give_up, f"{self.seen!r}\n{self._gateway.log.read_text()}"
            time.sleep(0.05)

    def _open(self, address: str) -> AbstractContextManager[httpx.Response]:
        return httpx.stream("POST", address, json=BODY, headers=self._headers, timeout=30)


def outcome_of(gateway: Gateway, request_id: str) -> list[str]:
    with psycopg.connect(gateway.database_url) as connection:
        rows = connection.execute("SELECT outcome FROM metering_usagerecord WHERE request_id = %s", [request_id])
        return [outcome for (outcome,) in rows]


def test_a_stop_lets_streams_end_ships_them_and_takes_no_more(gateway: Factory) -> None:
    running = gateway()
    stream = Stream(running, seconds=4)

    running.signal(signal.SIGTERM)
    time.sleep(1)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{running.address}/healthz")
    code = running.wait()
    stream.join(5)

    assert code == 0
    assert stream.is_whole
    assert b"message_stop" in stream.seen
    with EmbeddedServer(running.data).used(durable=False):
        assert outcome_of(running, stream.request_id) == ["completed"]


def test_a_second_signal_ends_streams_at_once_and_says_so_in_them(gateway: Factory) -> None:
    running = gateway()
    stream = Stream(running, seconds=25)

    began = time.monotonic()
    running.signal(signal.SIGINT)
    time.sleep(0.5)
    running.signal(signal.SIGINT)
    running.wait(20)
    stream.join(5)

    assert time.monotonic() - began < 10
    assert b"event: error" in stream.seen
    assert stream.is_whole
    with EmbeddedServer(running.data).used(durable=False):
        assert outcome_of(running, stream.request_id) == ["interrupted"]


def test_streams_outlive_a_killed_supervisor_and_the_next_one_ships_them(gateway: Factory) -> None:
    simulator = gateway.outside_simulator()
    running = gateway(simulator=simulator)
    stream = Stream(running, seconds=6)

    running.kill("supervisor")
    running.start()
    stream.join(10)

    assert b"message_stop" in stream.seen
    wait_until(lambda: outcome_of(running, stream.request_id) == ["completed"], what="the shipment")


def test_a_killed_workers_request_is_interrupted_in_the_ledger(gateway: Factory) -> None:
    running = gateway()
    stream = Stream(running, seconds=25)

    running.kill("worker 1")

    wait_until(lambda: outcome_of(running, stream.request_id) == ["interrupted"], what="the recovery")
