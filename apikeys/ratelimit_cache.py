"""A small Django cache over one UNLOGGED table, shared by every worker: counters of attempts and used one-time codes.

It exists because fixed-window limits need a cache that all processes share and that adds atomically: each of `add`,
`incr` and `set` is one statement. A crash of PostgreSQL empties the table, which forgives attempts, nothing more.
Values are JSON. Values that have run out are deleted now and then by the writers.
"""

import json
import random
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connection

SWEEP_ONE_IN = 100

_ADD = """
INSERT INTO apikeys_ratelimit AS held (key, value, expires_at)
VALUES (%s, %s::jsonb, now() + make_interval(secs => %s))
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
WHERE held.expires_at <= now()
RETURNING true
"""
_SET = """
INSERT INTO apikeys_ratelimit (key, value, expires_at)
VALUES (%s, %s::jsonb, now() + make_interval(secs => %s))
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
"""
_INCREMENT = """
UPDATE apikeys_ratelimit SET value = to_jsonb(value::text::bigint + %s)
WHERE key = %s AND expires_at > now()
RETURNING value::text::bigint
"""
_GET = "SELECT value FROM apikeys_ratelimit WHERE key = %s AND expires_at > now()"
_TOUCH = """
UPDATE apikeys_ratelimit SET expires_at = now() + make_interval(secs => %s)
WHERE key = %s AND expires_at > now()
RETURNING true
"""
_DELETE = "DELETE FROM apikeys_ratelimit WHERE key = %s RETURNING true"
_SWEEP = "DELETE FROM apikeys_ratelimit WHERE expires_at <= now()"
_CLEAR = "TRUNCATE apikeys_ratelimit"

FOREVER_SECONDS = 100 * 365 * 24 * 3600


class RateLimitCache(BaseCache):
    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Store unless a value that has not run out is there: True when it was stored."""
        if random.randrange(SWEEP_ONE_IN) == 0:  # noqa: S311
            _run(_SWEEP)
        return _run(_ADD, self._key(key, version), json.dumps(value), self._seconds(timeout)) is not None

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        row = _run(_GET, self._key(key, version))
        if row is None:
            return default
        return json.loads(row[0])

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        _run(_SET, self._key(key, version), json.dumps(value), self._seconds(timeout))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """The count after adding, atomically. Raises ValueError when there is nothing to add to."""
        row = _run(_INCREMENT, delta, self._key(key, version))
        if row is None:
            raise ValueError(f"Key {key!r} not found")
        return int(row[0])

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return _run(_TOUCH, self._seconds(timeout), self._key(key, version)) is not None

    def delete(self, key: str, version: int | None = None) -> bool:
        return _run(_DELETE, self._key(key, version)) is not None

    def clear(self) -> None:
        _run(_CLEAR)

    def _key(self, key: str, version: int | None) -> str:
        return self.make_and_validate_key(key, version=version)

    def _seconds(self, timeout: Any) -> float:
        chosen = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return FOREVER_SECONDS if chosen is None else float(chosen)


def _run(statement: str, *parameters: Any) -> tuple[Any, ...] | None:
    """Run one statement; its first row, if it returns rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone() if cursor.description else None
        return row
