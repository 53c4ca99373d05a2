"""Refused before the body is read: the client gets to read why, and its connection is well or closed, never broken."""

import asyncio
import json

import pytest

from tests.faults.conftest import Faulty, always, good
from tests.faults.connection import Answer, Connection, connected
from tests.faults.raw import chunk
from tests.faults.samples import body
from tests.journeys.rows import final_row

POST = "POST /v1/messages"
SMALL = json.dumps(body()).encode()
MEBIBYTE = 1 << 20


@pytest.fixture
def good_head(faulty: Faulty) -> dict[str, str]:
    return {"x_api_key": faulty.gateway.api_key, "anthropic_version": "2023-06-01"}


async def still_works(faulty: Faulty, connection: Connection, head: dict[str, str]) -> None:
    async with faulty.raw.answering(always(good())):
        connection.send(POST, SMALL, **head)
        answer = await connection.answer()
    assert answer.status == 200


def check(answer: Answer, status: int, type_: str) -> None:
    assert (answer.status, answer.error["type"]) == (status, type_)
    assert json.loads(answer.content)["request_id"] == answer.headers["request-id"]


async def test_413_comes_before_a_byte_of_the_body(faulty: Faulty, good_head: dict[str, str]) -> None:
    async with connected(faulty.port) as connection:
        connection.send(POST, content_length=str(33 * MEBIBYTE), **good_head)

        answer = await connection.answer()

        check(answer, 413, "request_too_large")
        assert answer.headers["connection"] == "close"
        assert await connection.is_closed()


async def test_413_is_read_by_a_client_that_sends_everything_first(faulty: Faulty, good_head: dict[str, str]) -> None:
    async with connected(faulty.port) as connection:
        connection.send(POST, b"x" * (40 * MEBIBYTE), **good_head)
        await connection.writer.drain()

        answer = await connection.answer()

        check(answer, 413, "request_too_large")
        assert await connection.is_closed()


async def test_413_stops_a_body_of_unknown_length(faulty: Faulty, good_head: dict[str, str]) -> None:
    async with connected(faulty.port) as connection:
        connection.send(POST, transfer_encoding="chunked", **good_head)
        for _ in range(40):
            connection.writer.write(chunk(b"x" * MEBIBYTE))
            await connection.writer.drain()

        answer = await connection.answer()

    row = final_row(faulty.gateway, answer.headers["request-id"])
    check(answer, 413, "request_too_large")
    assert (row["outcome"], row["reason"], row["status"]) == ("refused", "body_too_large", 413)


async def test_the_largest_body_that_is_allowed_passes(faulty: Faulty, good_head: dict[str, str]) -> None:
    content = SMALL.replace(b"Hello", b"x" * (32 * MEBIBYTE - len(SMALL) + len(b"Hello")))
    assert len(content) == 32 * MEBIBYTE

    async with faulty.raw.answering(always(good())), connected(faulty.port) as connection:
        connection.send(POST, content, **good_head)
        answer = await connection.answer()
        assert faulty.raw.requests[0].body == content

    assert answer.status == 200


@pytest.mark.parametrize("key", ["", "sk-toll-api01-wrong"], ids=["no key", "wrong key"])
async def test_401_with_a_large_body_closes_the_connection_cleanly(faulty: Faulty, key: str) -> None:
    head = {"x_api_key": key} if key else {}
    async with connected(faulty.port) as connection:
        connection.send(POST, b"x" * (5 * MEBIBYTE), anthropic_version="2023-06-01", **head)

        answer = await connection.answer()

        check(answer, 401, "authentication_error")
        assert answer.headers["connection"] == "close"
        assert await connection.is_closed()


async def test_401_does_not_wait_for_a_body(faulty: Faulty) -> None:
    async with connected(faulty.port) as connection:
        connection.send(POST, content_length=str(MEBIBYTE), x_api_key="sk-toll-api01-wrong")

        check(await connection.answer(), 401, "authentication_error")


async def test_401_does_not_ask_for_the_body_of_a_client_that_asks_first(faulty: Faulty) -> None:
    async with connected(faulty.port) as connection:
        connection.send(POST, content_length=str(MEBIBYTE), expect="100-continue", x_api_key="sk-toll-api01-wrong")

        check(await connection.answer(), 401, "authentication_error")


async def test_a_client_that_asks_first_is_told_to_go_on(faulty: Faulty, good_head: dict[str, str]) -> None:
    async with faulty.raw.answering(always(good())), connected(faulty.port) as connection:
        connection.send(POST, content_length=str(len(SMALL)), expect="100-continue", **good_head)
        status, _ = await connection.head()
        connection.writer.write(SMALL)
        answer = await connection.answer()

    assert (status, answer.status) == (100, 200)


@pytest.mark.parametrize("content", [SMALL, b"x" * 60_000], ids=["small", "60 kB"])
async def test_401_with_a_small_body_keeps_the_connection(
    faulty: Faulty, good_head: dict[str, str], content: bytes
) -> None:
    async with connected(faulty.port) as connection:
        for _ in range(3):
            connection.send(POST, content, x_api_key="sk-toll-api01-wrong")
            check(await connection.answer(), 401, "authentication_error")

        await still_works(faulty, connection, good_head)


@pytest.mark.parametrize(
    ("start", "content", "status"),
    [
        ("GET /v1/messages", b"", 405),
        ("PUT /v1/messages", SMALL, 405),
        ("DELETE /v1/models", b"", 405),
        ("POST /v1/models/claude-opus-5-5", SMALL, 405),
        ("GET /v1/nothing", b"", 404),
        ("POST /v1/nothing", SMALL, 404),
        ("POST /v1/messages/", SMALL, 404),
        ("POST /v1//messages", SMALL, 404),
    ],
)
async def test_a_wrong_path_or_method_keeps_the_connection(
    faulty: Faulty, good_head: dict[str, str], start: str, content: bytes, status: int
) -> None:
    async with connected(faulty.port) as connection:
        connection.send(start, content, **good_head)
        answer = await connection.answer()

        check(answer, status, "invalid_request_error" if status == 405 else "not_found_error")
        assert ("allow" in answer.headers) == (status == 405)
        await still_works(faulty, connection, good_head)


async def test_405_with_a_large_body_closes_the_connection_cleanly(faulty: Faulty, good_head: dict[str, str]) -> None:
    async with connected(faulty.port) as connection:
        connection.send("PUT /v1/messages", b"x" * (5 * MEBIBYTE), **good_head)

        check(await connection.answer(), 405, "invalid_request_error")
        assert await connection.is_closed()


async def test_a_refusal_after_the_body_keeps_the_connection(faulty: Faulty, good_head: dict[str, str]) -> None:
    async with connected(faulty.port) as connection:
        for content in (b"{", b"{}", b"[" * 200_000):
            connection.send(POST, content, **good_head)
            check(await connection.answer(), 400, "invalid_request_error")

        await still_works(faulty, connection, good_head)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "anthropic-version: header is required"),
        ({"anthropic_version": "2020-01-01"}, 'anthropic-version: "2020-01-01" is not a valid version'),
        (
            {"anthropic_version": "2023-06-01, 2023-06-01"},
            'anthropic-version: "2023-06-01, 2023-06-01" is not a valid version',
        ),
    ],
)
async def test_a_wrong_version_keeps_the_connection(
    faulty: Faulty, good_head: dict[str, str], changed: dict[str, str], message: str
) -> None:
    async with connected(faulty.port) as connection:
        connection.send(POST, SMALL, x_api_key=faulty.gateway.api_key, **changed)
        answer = await connection.answer()

        check(answer, 400, "invalid_request_error")
        assert answer.error["message"] == message
        await still_works(faulty, connection, good_head)


async def test_requests_on_one_connection_are_answered_in_order(faulty: Faulty, good_head: dict[str, str]) -> None:
    """Pipelined: good, refused, good."""
    async with faulty.raw.answering(always(good())), connected(faulty.port) as connection:
        connection.send(POST, SMALL, **good_head)
        connection.send("GET /v1/messages", **good_head)
        connection.send(POST, SMALL, **good_head)

        assert [(await connection.answer()).status for _ in range(3)] == [200, 405, 200]


async def test_many_early_refusals_leave_the_worker_well(faulty: Faulty, good_head: dict[str, str]) -> None:
    async def knock() -> int:
        async with connected(faulty.port) as connection:
            connection.send(POST, b"x" * MEBIBYTE, x_api_key="sk-toll-api01-wrong")
            return (await connection.answer()).status

    statuses = await asyncio.gather(*(knock() for _ in range(20)))

    assert set(statuses) <= {401, 429}
    async with connected(faulty.port) as connection:
        await still_works(faulty, connection, good_head)


@pytest.mark.parametrize("start", ["HEAD /", "HEAD /api/hello", "GET /api/hello"])
async def test_somebody_is_there(faulty: Faulty, good_head: dict[str, str], start: str) -> None:
    async with connected(faulty.port) as connection:
        connection.send(start)
        status, headers = await connection.head()

        assert status == 200
        assert headers.get("content-length", "0") == "0"
        await still_works(faulty, connection, good_head)
