"""`tollgate_now()` under a test's control, within the test's own transaction."""

from django.db import connection

NOON = 1_795_003_200.0  # 2026-11-18 12:00 UTC


class Clock:
    """`now` in seconds since NOON, as the centre sees it."""

    def __init__(self) -> None:
        self._execute(
            "CREATE OR REPLACE FUNCTION tollgate_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
            "$$ SELECT to_timestamp(current_setting('test.now')::float8) $$"
        )
        self.set(0.0)

    def set(self, seconds: float) -> None:
        self.now = seconds
        self._execute(f"SET test.now = '{NOON + seconds:.6f}'")

    def advance(self, seconds: float) -> None:
        self.set(self.now + seconds)

    def _execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
