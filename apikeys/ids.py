"""Identifiers with Claude's prefixes: prefix + `_01` + 22 characters of base58, about 128 random bits."""

import os
import struct
import threading

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [first + second for first in _BASE58 for second in _BASE58]
_ELEVEN = struct.Struct(">11H")


class _Randomness(threading.local):
    """Random bytes in stock, for each thread its own. A system call for each id would take longer, and would hand the
    interpreter to another thread each time.
    """

    def __init__(self) -> None:
        self._stock = b""
        self._used = 0

    def take(self, size: int) -> bytes:
        if self._used + size > len(self._stock):
            self._stock, self._used = os.urandom(size * 128), 0
        self._used += size
        return self._stock[self._used - size : self._used]


_randomness = _Randomness()


def new_id(prefix: str) -> str:
    """A fresh id such as `wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ`. Cheap (about 1 us): every request needs one."""
    pairs = [_PAIRS[number % 3364] for number in _ELEVEN.unpack(_randomness.take(22))]
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
