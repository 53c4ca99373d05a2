"""The installation's one secret, and the keys derived from it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path


def load_secret(data: Path) -> str:
    """`TOLLGATE_SECRET_KEY`, else `<data>/secret.key` (mode 0600), which is made at the first start."""
    given = os.environ.get("TOLLGATE_SECRET_KEY")
    if given:
        return given
    path = data / "secret.key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return _make_secret(path)


def derive(secret: str, purpose: str) -> bytes:
    """32 bytes for one purpose; knowing them tells nothing about the secret or the other keys."""
    return hmac.new(secret.encode(), b"tollgate:" + purpose.encode(), hashlib.sha256).digest()


def _make_secret(path: Path) -> str:
    """Written beside and linked into place, so that two processes that start together agree on one secret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"secret.key.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()
