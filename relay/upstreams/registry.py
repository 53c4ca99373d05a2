"""The kinds of upstream there are. A new one is a file beside this and a line here."""

from collections.abc import Callable
from typing import NamedTuple

from relay.upstreams.anthropic import Anthropic
from relay.upstreams.base import Adapter
from relay.upstreams.simulated import Simulated


class Kind(NamedTuple):
    """How to make an adapter, and what an operator need not say."""

    make: Callable[[str, str], Adapter]
    default_base_url: str
    default_patterns: list[str]


KINDS: dict[str, Kind] = {
    "anthropic": Kind(
        lambda base_url, credential: Anthropic(base_url, credential), "https://api.anthropic.com", ["claude-*"]
    ),
    "simulator": Kind(lambda base_url, _: Simulated(base_url), "http://127.0.0.1:8001", ["claude-*"]),
}
