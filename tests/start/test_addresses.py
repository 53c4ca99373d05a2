"""Whose Host header opens the console."""

import socket

from config.addresses import LOCAL, allowed_hosts


def test_a_public_address_is_the_only_one_beside_this_machine() -> None:
    assert allowed_hosts("https://tollgate.example:8443/sub", "0.0.0.0") == ["tollgate.example", *LOCAL]


def test_without_one_and_on_loopback_only_this_machine() -> None:
    assert allowed_hosts("", "") == LOCAL
    assert set(allowed_hosts("", "127.0.0.1")) == set(LOCAL)


def test_a_given_host_is_added() -> None:
    assert allowed_hosts("", "10.1.2.3") == [*LOCAL, "10.1.2.3"]
    assert allowed_hosts("", "fd00::1") == [*LOCAL, "[fd00::1]"]


def test_listening_everywhere_adds_this_machines_names_and_addresses() -> None:
    found = allowed_hosts("", "0.0.0.0")

    assert socket.gethostname() in found
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        outward.connect(("192.0.2.1", 9))  # sends nothing; tells which address would be used
        assert outward.getsockname()[0] in found
