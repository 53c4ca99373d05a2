"""Which of a caller's headers cross, and which never do."""

import httpx

from relay.upstreams.anthropic import Anthropic
from relay.upstreams.base import Outbound, forwarded_headers
from relay.upstreams.simulated import Simulated


def names(headers: list[tuple[bytes, bytes]]) -> set[bytes]:
    return {name for name, _ in headers}


def test_credentials_addresses_and_hop_by_hop_headers_stay_here() -> None:
    kept = forwarded_headers(
        [
            (b"x-api-key", b"k"),
            (b"api-key", b"k"),
            (b"authorization", b"Bearer k"),
            (b"cookie", b"session=1"),
            (b"x-forwarded-for", b"10.0.0.1"),
            (b"connection", b"close, x-secret-hop"),
            (b"x-secret-hop", b"1"),
            (b"te", b"trailers"),
            (b"accept-encoding", b"gzip"),
            (b"x-my-key", b"sk-toll-api01-abc"),
            (b"x_api_key", b"somebody's"),
            (b"x-tollgate-simulator-fault", b"status=529"),
            (b"anthropic-version", b"2023-06-01"),
            (b"anthropic-beta", b"a,b"),
            (b"anthropic-beta", b"c"),
            (b"x-stainless-lang", b"python"),
        ]
    )

    assert kept == [
        (b"anthropic-version", b"2023-06-01"),
        (b"anthropic-beta", b"a,b"),
        (b"anthropic-beta", b"c"),
        (b"x-stainless-lang", b"python"),
    ]


def signed(adapter: Anthropic | Simulated) -> httpx.Request:
    outbound = Outbound(
        [(b"anthropic-version", b"2023-06-01"), (b"x-tollgate-simulator-pace", b"1")],
        b'{"a": 1}',
        request_id="req_1",
        model="m",
        is_stream=False,
    )
    return next(adapter.auth.auth_flow(adapter.messages(outbound)))


def test_the_claude_api_gets_the_operators_credential_and_the_same_bytes() -> None:
    request = signed(Anthropic("https://upstream.test/base/", "operator-key"))

    assert str(request.url) == "https://upstream.test/base/v1/messages"
    assert request.content == b'{"a": 1}'
    assert request.headers["host"] == "upstream.test"
    assert request.headers["content-length"] == "8"
    assert request.headers["x-api-key"] == "operator-key"
    assert "x-tollgate-simulator-pace" not in request.headers


def test_without_a_credential_nothing_is_signed_and_a_repr_never_shows_one() -> None:
    assert "x-api-key" not in signed(Anthropic("http://engine.test")).headers
    assert "operator-key" not in repr(Anthropic("https://upstream.test", "operator-key"))


def test_only_the_simulator_is_told_to_misbehave() -> None:
    request = signed(Simulated("http://127.0.0.1:1"))

    assert request.headers["x-tollgate-simulator-pace"] == "1"
    assert request.headers["x-tollgate-simulator-request-id"] == "req_1"
