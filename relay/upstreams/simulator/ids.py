"""Random ids in the API's style: a prefix, `01`, and 22 base-58 characters."""

import random

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_choose = random.Random().choices  # noqa: S311 - seeded by the system, and no secret


def new_id(prefix: str) -> str:
    """A new id such as `msg_01…`. Unguessable is not needed here, unique is: 58^22 of them."""
    return f"{prefix}_01{''.join(_choose(_ALPHABET, k=22))}"
