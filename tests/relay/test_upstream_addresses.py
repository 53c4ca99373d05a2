"""An address that no worker could use is refused when it is entered: it must not stop them all at their next start."""

import pytest

from apikeys.audit import Actor
from apikeys.errors import ChangeRefused
from relay import actions

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    [
        "real.test",
        "ftp://real.test",
        "http://",
        "http://real.test:port",
        "http://real.test:99999",
        "http://real.test:0",
        "http://[::1",
        "http://xn--zz",
        "http://operator:secret@real.test",
        "http://real.test/?key=secret",
        "http://real.test/v1",
    ],
)
def test_no_address(address: str) -> None:
    with pytest.raises(ChangeRefused) as caught:
        actions.add_upstream("anthropic", "real", base_url=address, actor=Actor.command_line())

    assert caught.value.code == "base_url_invalid"


@pytest.mark.parametrize("address", ["https://real.test", "http://[::1]:8001/", "http://exämple.test/behind/a/path"])
def test_an_address(address: str) -> None:
    upstream = actions.add_upstream("anthropic", "real", base_url=address, actor=Actor.command_line())

    assert upstream.base_url == address.rstrip("/")
