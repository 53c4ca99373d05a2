"""Telling every worker, at commit, that what it remembers of a key, a workspace or an organization is out of date."""

from django.db import connection

from apikeys.channels import KEYS


def announce(object_id: str) -> None:
    """Queue a NOTIFY in the running transaction: sent if it commits, forgotten if it does not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [KEYS, object_id])
