"""How long a request waits for what others hold, and when it is tried again. Pure."""

from typing import NamedTuple


class Patience(NamedTuple):
    longest_seconds: float
    pause_seconds: float


SLOT = Patience(0.25, 0.02)
"""For a running request to end."""
HELD = Patience(2.0, 0.1)
"""For money that running requests hold and will mostly give back."""
MOST_WAITING = 1000
"""In one process; further requests are refused at once."""

_BY_SHORTAGE = {"slot": SLOT, "held": HELD}


def patience(short: str) -> Patience | None:
    """None where waiting a moment does not help: spent money, and rates, whose answer says when to come back."""
    return _BY_SHORTAGE.get(short)
