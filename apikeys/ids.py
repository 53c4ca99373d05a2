"""Identifiers with Claude's prefixes: prefix + `_01` + 22 characters of base58, about 128 random bits."""

import os

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [first + second for first in _BASE58 for second in _BASE58]
_LENGTH_IN_PAIRS = 11


def new_id(prefix: str) -> str:
    """A fresh id such as `wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ`. Cheap (about 2 us): every request needs one."""
    number = int.from_bytes(os.urandom(17))
    pairs = []
    for _ in range(_LENGTH_IN_PAIRS):
        number, pair = divmod(number, 3364)
        pairs.append(_PAIRS[pair])
    return f"{prefix}_01{''.join(pairs)}"


def request_id() -> str:
    return new_id("req")


def user_id() -> str:
    return new_id("user")


def workspace_id() -> str:
    return new_id("wrkspc")


def api_key_id() -> str:
    return new_id("apikey")


def audit_id() -> str:
    return new_id("audit")
