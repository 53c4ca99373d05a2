"""Where a key may stand, and what happens when two places disagree."""

import httpx
import pytest

from tests.faults.conftest import Faulty, always, good
from tests.faults.samples import body

VERSION = {"anthropic-version": "2023-06-01"}
WRONG = "sk-toll-api01-wrong"


@pytest.mark.parametrize(
    "head",
    [
        {"x-api-key": "KEY"},
        {"api-key": "KEY"},
        {"authorization": "Bearer KEY"},
        {"authorization": "bearer KEY"},
        {"x-api-key": "KEY", "authorization": "Bearer KEY"},
    ],
)
async def test_the_key_is_found(faulty: Faulty, head: dict[str, str]) -> None:
    answer = await _ask(faulty, head)

    assert answer.status_code == 200
    assert answer.headers["anthropic-organization-id"]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({}, "x-api-key header is required"),
        ({"x-api-key": ""}, "x-api-key header is required"),
        ({"authorization": "Basic a2V5"}, "x-api-key header is required"),
        ({"x-api-key": WRONG}, "invalid x-api-key"),
        ({"x-api-key": "KEY1"}, "invalid x-api-key"),
        ({"authorization": f"Bearer {WRONG}"}, "Invalid bearer token"),
    ],
)
async def test_what_is_wrong_is_said(faulty: Faulty, head: dict[str, str], message: str) -> None:
    answer = await _ask(faulty, head)

    assert answer.status_code == 401
    assert answer.json()["error"] == {"type": "authentication_error", "message": message}
    assert "anthropic-organization-id" not in answer.headers


async def test_two_keys_that_disagree_are_401(faulty: Faulty) -> None:
    answer = await _ask(faulty, {"x-api-key": "KEY", "authorization": f"Bearer {WRONG}"})

    assert answer.status_code == 401


async def _ask(faulty: Faulty, head: dict[str, str]) -> httpx.Response:
    head = {name: value.replace("KEY", faulty.gateway.api_key) for name, value in head.items()}
    async with (
        faulty.raw.answering(always(good())),
        httpx.AsyncClient(base_url=faulty.gateway.address, headers={**VERSION, **head}) as client,
    ):
        return await client.post("/v1/messages", json=body())
