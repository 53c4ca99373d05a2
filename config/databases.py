"""Where PostgreSQL is: `DATABASE_URL`, or the embedded server's socket below the data folder."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_LONGEST_SOCKET_FOLDER = 80
"""A Unix socket's path holds 107 bytes; `/.s.PGSQL.5432` and a lock's suffix need the rest."""
SOCKET_PORT = 5432
"""Only a part of the socket's name; said everywhere, so that a `PGPORT` in the environment changes nothing."""


def socket_folder(data: Path) -> Path:
    """The 0700 folder of the embedded server's socket: below the data folder, or a short one elsewhere."""
    inside = data / "run"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER:
        return inside
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tollgate-{os.getuid()}-{name}"


def embedded_url(data: Path) -> str:
    return f"postgresql://tollgate@/tollgate?host={quote(str(socket_folder(data)), safe='')}&port={SOCKET_PORT}"


def database_from_url(url: str) -> dict[str, Any]:
    """A `postgresql://` address as Django wants it; query parameters become libpq options."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"DATABASE_URL must be a postgresql:// address, not {parts.scheme or 'empty'}://")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "tollgate",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or options.pop("port", "") or ""),
        "OPTIONS": {**options, "pool": {"min_size": 1, "max_size": 4, "timeout": 5}},
        "CONN_MAX_AGE": 0,
    }
