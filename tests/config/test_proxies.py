"""Only a trusted proxy may say where a request came from."""

import logging

import pytest

from config.proxies import Proxies, Scope, parse_networks

TRUSTED = parse_networks("10.0.0.0/8, 127.0.0.1, ::1")


async def seen(peer: str, forwarded_for: str = "", proto: str = "") -> tuple[str, str]:
    got: list[Scope] = []

    async def application(scope: Scope, receive: object, send: object) -> None:
        got.append(scope)

    headers = [(b"x-forwarded-for", forwarded_for.encode())] if forwarded_for else []
    headers += [(b"x-forwarded-proto", proto.encode())] if proto else []
    scope = {"type": "http", "client": (peer, 5), "scheme": "http", "headers": headers}
    await Proxies(application, TRUSTED)(scope, None, None)
    return got[0]["client"][0], got[0]["scheme"]


async def test_a_trusted_proxy_names_the_client_and_the_scheme() -> None:
    assert await seen("10.1.2.3", "203.0.113.9", "https") == ("203.0.113.9", "https")


async def test_what_the_client_wrote_before_the_proxies_does_not_count() -> None:
    assert await seen("10.1.2.3", "198.51.100.1, 203.0.113.9, 10.9.9.9") == ("203.0.113.9", "http")


async def test_nobody_else_is_believed_and_that_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert await seen("192.0.2.1", "203.0.113.9", "https") == ("192.0.2.1", "http")

    assert "x-forwarded-for" in caplog.text


async def test_without_the_header_nothing_changes() -> None:
    assert await seen("10.1.2.3") == ("10.1.2.3", "http")


@pytest.mark.parametrize("text", ["unknown", "203.0.113.9, <script>"])
async def test_an_address_that_is_none_leaves_the_proxy_as_the_client(text: str) -> None:
    assert await seen("10.1.2.3", text) == ("10.1.2.3", "http")


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError):
        parse_networks("10.0.0.0/99")
