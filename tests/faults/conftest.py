"""A gateway of one worker before upstreams that are made of nothing but sockets."""

import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.faults.raw import RawUpstream, always, whole
from tests.faults.samples import body, message
from tests.gateway import Factory, Gateway, wait_until

CREDENTIAL = "sk-upstream-credential"
SILENT_SECONDS = 2.5
"""How long these upstreams may be silent before they count as stalled."""

SPARED_MODEL = "claude-opus-4-8"
"""Served by `raw` first and by `spare` after it."""

ORPHANED_MODEL = "claude-haiku-4-5"
"""Served by an address where nobody listens."""


@dataclass(frozen=True)
class Faulty:
    gateway: Gateway
    raw: RawUpstream
    spare: RawUpstream

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.gateway.api_key, "anthropic-version": "2023-06-01"}

    @property
    def port(self) -> int:
        return self.gateway.port


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    factory, raw, spare = Factory(), RawUpstream(), RawUpstream()
    limits = {
        "TOLLGATE_JSON_SECONDS": str(SILENT_SECONDS),
        "TOLLGATE_STREAM_SECONDS": str(SILENT_SECONDS),
        "TOLLGATE_IDLE_SECONDS": str(SILENT_SECONDS),
        "TOLLGATE_PING_SECONDS": "0.5",
    }
    secret = tmp_path_factory.mktemp("faults") / "credential"
    secret.write_text(CREDENTIAL)
    gateway = factory(environment=limits)
    _add(gateway, "spare", spare.address, secret, SPARED_MODEL)
    _add(gateway, "raw", raw.address, secret, "claude-sonnet-*", "claude-opus-*")
    _add(gateway, "nobody", _dead_address(), secret, "claude-haiku-*")
    made = Faulty(gateway, raw, spare)
    _wait_for_routes(made)
    yield made
    factory.close()
    raw.close()
    spare.close()


@pytest.fixture
async def client(faulty: Faulty) -> AsyncIterator[httpx.AsyncClient]:
    """Goes to the gateway with a good key."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=faulty.gateway.address, headers=faulty.headers, timeout=30, limits=limits
    ) as client:
        yield client


def _add(gateway: Gateway, name: str, address: str, secret: Path, *patterns: str) -> None:
    models = [argument for pattern in patterns for argument in ("--model", pattern)]
    gateway.command(
        "upstream", "add", "anthropic", "--name", name, "--base-url", address, "--credential-file", str(secret), *models
    )


def _dead_address() -> str:
    """Of a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def _wait_for_routes(faulty: Faulty) -> None:
    """Workers hear of new upstreams a moment later."""

    def leads_nowhere() -> bool:
        answer = httpx.post(
            f"{faulty.gateway.address}/v1/messages", headers=faulty.headers, json=body("claude-haiku-4-5")
        )
        return answer.status_code == 503

    wait_until(leads_nowhere, what="the routes")


def good() -> bytes:
    return whole(message())


__all__ = ["CREDENTIAL", "Faulty", "always", "good"]
