"""Issued keys as text: how one is made, checked, hashed and hinted at. No clock, no database, no settings.

A secret is a prefix that names its kind, 43 base62 characters of 32 random bytes, and a checksum of 6 more, so a
mistyped key is refused without a query and a scanner can recognise one: `sk-toll-(api|admin)01-[0-9A-Za-z]{49}`.
"""

import hashlib
import hmac
import re
import secrets
import zlib

PREFIXES = {"api": "sk-toll-api01-", "admin": "sk-toll-admin01-"}

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES = 32
_BODY_LENGTH = 43
_CHECKSUM_LENGTH = 6
_SHAPE = re.compile(rf"sk-toll-(api|admin)01-[0-9A-Za-z]{{{_BODY_LENGTH + _CHECKSUM_LENGTH}}}")


def make_secret(kind: str) -> str:
    """A fresh secret of `kind` ("api" or "admin"), from the system's random source."""
    number = int.from_bytes(secrets.token_bytes(_RANDOM_BYTES), "big")
    start = PREFIXES[kind] + _base62(number, _BODY_LENGTH)
    return start + _checksum(start)


def looks_valid(secret: str) -> bool:
    """Whether the shape and the checksum are right, which says nothing about whether the key was ever issued."""
    return _SHAPE.fullmatch(secret) is not None and _checksum(secret[:-_CHECKSUM_LENGTH]) == secret[-_CHECKSUM_LENGTH:]


def digest(secret: str, pepper: bytes) -> bytes:
    """The 32 bytes that are stored instead of the secret. Any text has one, odd surrogates included."""
    return hmac.digest(pepper, secret.encode("utf-8", "surrogatepass"), "sha256")


class Digester:
    """`digest` under one pepper, without setting the HMAC up anew each time: about 1 us."""

    def __init__(self, pepper: bytes) -> None:
        self._started = hmac.new(pepper, digestmod=hashlib.sha256)

    def __call__(self, secret: str) -> bytes:
        copy = self._started.copy()
        copy.update(secret.encode("utf-8", "surrogatepass"))
        return copy.digest()


def hint(secret: str) -> str:
    """What lists may show of a secret: prefix, three characters, and the last four."""
    prefix_length = secret.index("01-") + len("01-")
    return f"{secret[: prefix_length + 3]}...{secret[-4:]}"


def _checksum(start: str) -> str:
    return _base62(zlib.crc32(start.encode("ascii")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    """`number` in exactly `length` digits, most significant first."""
    digits = []
    for _ in range(length):
        number, remainder = divmod(number, 62)
        digits.append(_BASE62[remainder])
    return "".join(reversed(digits))
