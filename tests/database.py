"""Emptying the database after a test with real commits, down to what the migrations had put there."""

from django.db import connection

_SEEDS = "seeds"


def keep_seeds() -> None:
    """Copy every table that is not empty after the migrations into a schema of its own."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {_SEEDS}")
        for table in _tables():
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}")')
            if cursor.fetchone()[0]:
                cursor.execute(f'CREATE TABLE {_SEEDS}."{table}" AS TABLE "{table}"')


def restore_seeds() -> None:
    """Empty all tables and put the seeds back, in one transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [_SEEDS])
        seeded = [name for (name,) in cursor.fetchall()]
        names = ", ".join(f'"{table}"' for table in _tables())
        statements = [
            "SET CONSTRAINTS ALL DEFERRED",
            f"TRUNCATE {names} RESTART IDENTITY CASCADE",
            *(f'INSERT INTO "{table}" OVERRIDING SYSTEM VALUE SELECT * FROM {_SEEDS}."{table}"' for table in seeded),
        ]
        cursor.execute("BEGIN; " + "; ".join(statements) + "; COMMIT")
        for table in seeded:
            _move_sequence_on(table)


def _tables() -> list[str]:
    """Tables of ours that hold rows of their own: partitions are emptied with their parent."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'django_migrations'"
        )
        return [name for (name,) in cursor.fetchall()]


def _move_sequence_on(table: str) -> None:
    """Seeds came with their ids; the next row must get a new one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, pg_get_serial_sequence(%s, attname) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [f'"{table}"', f'"{table}"'],
        )
        for column, sequence in cursor.fetchall():
            if sequence:
                cursor.execute(f'SELECT setval(%s, (SELECT max("{column}") FROM "{table}"))', [sequence])
