"""Identifiers with Claude's prefixes: prefix + `_01` + 22 characters of base58, about 128 random bits."""

import os
import struct

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [first + second for first in _BASE58 for second in _BASE58]
_ELEVEN = struct.Struct(">11H")


def new_id(prefix: str) -> str:
    """A fresh id such as `wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ`. Cheap (about 2 us): every request needs one."""
    pairs = [_PAIRS[number % 3364] for number in _ELEVEN.unpack(os.urandom(22))]
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
