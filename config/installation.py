"""The database made ready for this version and this secret: migrations, and whose database it is."""

import logging
from datetime import UTC, datetime

import django
import psycopg
from django.apps import apps
from django.conf import settings

from apikeys import database
from config.failures import Failure
from metering import partitions

logger = logging.getLogger("tollgate")

_MIGRATIONS_LOCK = 0x746F6C6C  # "toll": any number will do, if nobody else takes the same


def prepare() -> None:
    """Django ready, the tables as this version needs them, and the secret the one they were written under."""
    if not apps.ready:
        django.setup(set_prefix=False)
    demand_database()
    migrate()
    check_secret()


def demand_database() -> None:
    """One attempt without Django's pool, which would try for seconds and log each failure."""
    try:
        psycopg.connect(database.address()).close()
    except psycopg.OperationalError as failure:
        reason = str(failure).strip().splitlines()[0]
        raise Failure(f"the database cannot be used: {reason}") from failure


def migrate() -> bool:
    """Apply what is missing; whoever comes meanwhile waits. True when there was something to do."""
    from django.core.management import call_command
    from django.db import connection

    if not _is_behind():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATIONS_LOCK])
        try:
            if _is_behind():
                call_command("migrate", interactive=False, verbosity=0)
                # Not left to the jobs process: rows that moved under a reader's eyes would be in neither place for it.
                partitions.make_ahead(connection.connection, datetime.now(UTC))
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATIONS_LOCK])
    return True


def check_secret() -> None:
    """Keys and credentials in this database can be read under one secret only; with another we must not start."""
    from apikeys.models import Installation

    row, _ = Installation.objects.get_or_create(pk=1, defaults={"secret_fingerprint": settings.SECRET_FINGERPRINT})
    if row.secret_fingerprint != settings.SECRET_FINGERPRINT:
        raise Failure(
            "this database belongs to another secret key. Restore the original "
            f"{settings.DATA_DIR / 'secret.key'}, or set TOLLGATE_SECRET_KEY to what it was."
        )


def demand_own_database() -> None:
    """The same check for a process that is started again while others run: without the database it starts too."""
    from django.db import OperationalError, connection

    try:
        check_secret()
    except OperationalError:
        logger.warning("the database does not answer yet")
    finally:
        connection.close()


def _is_behind() -> bool:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
