"""Identifiers with Claude's prefixes: prefix + `01` + 22 characters of base58."""

import secrets

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def new_id(prefix: str) -> str:
    """A fresh id such as `wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ`: 22 random base58 characters, about 128 bits."""
    return prefix + "_01" + "".join(secrets.choice(_BASE58) for _ in range(22))


def user_id() -> str:
    return new_id("user")


def workspace_id() -> str:
    return new_id("wrkspc")


def api_key_id() -> str:
    return new_id("apikey")


def audit_id() -> str:
    return new_id("audit")
