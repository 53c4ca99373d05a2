"""Bodies that one parser reads so and another one otherwise: refused before anything is sent or spent."""

import gzip
import json
import re

import httpx
import pytest

from tests.faults.conftest import Faulty, always, good
from tests.faults.samples import MODEL, body
from tests.journeys.rows import final_row

CHEAP, DEAR = "claude-3-haiku-20240307", "claude-opus-4-8"
REST = '"max_tokens":16,"messages":[{"role":"user","content":"Hello"}]'

DOUBLED = {
    "plain": f'{{"model":"{CHEAP}","model":"{DEAR}",{REST}}}',
    "escaped first": f'{{"\\u006dodel":"{CHEAP}","model":"{DEAR}",{REST}}}',
    "escaped last": f'{{"model":"{CHEAP}",{REST},"mod\\u0065l":"{DEAR}"}}',
    "both escaped": f'{{"\\u006dodel":"{CHEAP}","mode\\u006c":"{DEAR}",{REST}}}',
    "the same value": f'{{"model":"{DEAR}","model":"{DEAR}",{REST}}}',
    "max_tokens": f'{{"model":"{DEAR}","max_tokens":1,{REST}}}',
    "stream": f'{{"model":"{DEAR}","stream":false,"stream":true,{REST}}}',
    "deep inside": f'{{"model":"{DEAR}",{REST},"metadata":{{"user_id":"a","user\\u005fid":"b"}}}}',
    "large": f'{{"model":"{CHEAP}",{REST},"x":"{"x" * (2 << 20)}","model":"{DEAR}"}}',
}
BROKEN = {
    "cut": b'{"model":"' + MODEL.encode(),
    "nothing": b"",
    "bad utf-8": b'{"model":"\xff\xfe"}',
    "surrogate": b'{"model":"\\ud800",' + REST.encode() + b"}",
    "not a number": b'{"model":"claude-opus-4-8","x":NaN,' + REST.encode() + b"}",
    "infinite": b'{"model":"claude-opus-4-8","x":Infinity,' + REST.encode() + b"}",
    "two values": f'{{"model":"{MODEL}",{REST}}}{{}}'.encode(),
    "a list": f'[{{"model":"{MODEL}",{REST}}}]'.encode(),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(body()).encode(),
    "utf-16": json.dumps(body()).encode("utf-16"),
    "too deep": b'{"model":"claude-opus-4-8","x":' + b"[" * 100_000,
}


@pytest.mark.parametrize("case", DOUBLED)
async def test_a_doubled_key_is_400_and_goes_nowhere(faulty: Faulty, client: httpx.AsyncClient, case: str) -> None:
    async with faulty.raw.answering(always(good())):
        answer = await client.post("/v1/messages", content=DOUBLED[case])
        assert faulty.raw.requests == []

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "not valid JSON" in answer.json()["error"]["message"]
    assert (row["outcome"], row["status"], row["cost_picos"]) == ("refused", 400, 0)


async def test_an_escaped_name_is_read_as_the_upstream_reads_it(faulty: Faulty, client: httpx.AsyncClient) -> None:
    content = f'{{"m\\u006fdel":"claude-opus-4\\u002d8",{REST}}}'

    async with faulty.raw.answering(always(good())):
        answer = await client.post("/v1/messages", content=content)
        assert faulty.raw.requests[0].body == content.encode()

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert answer.status_code == 200
    assert row["requested_model"] == DEAR


async def test_the_model_that_answered_is_the_one_that_is_priced(faulty: Faulty, client: httpx.AsyncClient) -> None:
    """Asked for Opus, answered and said to be Sonnet: $3 and $15 a million."""
    async with faulty.raw.answering(always(good())):
        answer = await client.post("/v1/messages", json=body(DEAR))

    row = final_row(faulty.gateway, answer.headers["request-id"])
    assert (row["requested_model"], row["model"]) == (DEAR, MODEL)
    assert row["cost_picos"] == 11 * 3_000_000 + 7 * 15_000_000


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_body_is_400_and_goes_nowhere(faulty: Faulty, client: httpx.AsyncClient, case: str) -> None:
    async with faulty.raw.answering(always(good())):
        answer = await client.post("/v1/messages", content=BROKEN[case])
        assert faulty.raw.requests == []

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["request_id"] == answer.headers["request-id"]


async def test_bad_json_is_told_with_its_place(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/messages", content=b'{"model": "x",\n "max_tokens": }')

    message = answer.json()["error"]["message"]
    assert re.fullmatch(r"The request body is not valid JSON: .+: line 2 column \d+ \(char \d+\)", message)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": None}, "model: Input should be a valid string"),
        ({"model": ""}, "model: String should have at least 1 character"),
        ({"max_tokens": "16"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"stream": "yes"}, "stream: Input should be a valid boolean"),
        ({"messages": "Hello"}, "messages: Input should be a valid list"),
        ({"messages": []}, "messages: at least one message is required"),
    ],
)
async def test_a_wrong_field_is_named(client: httpx.AsyncClient, changed: dict[str, object], message: str) -> None:
    answer = await client.post("/v1/messages", json=body() | changed)

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


@pytest.mark.parametrize("name", ["model", "max_tokens", "messages"])
async def test_a_missing_field_is_named(client: httpx.AsyncClient, name: str) -> None:
    content = body()
    del content[name]

    answer = await client.post("/v1/messages", json=content)

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, f"{name}: Field required")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "identity, gzip"])
async def test_a_packed_body_is_400_and_goes_nowhere(faulty: Faulty, client: httpx.AsyncClient, encoding: str) -> None:
    """It may unpack to something that we have not read."""
    async with faulty.raw.answering(always(good())):
        answer = await client.post(
            "/v1/messages",
            content=gzip.compress(json.dumps(body()).encode()),
            headers={"content-encoding": encoding, "content-type": "application/json"},
        )
        assert faulty.raw.requests == []

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["details"] == {"error_code": "request_body_encoding_unsupported"}
