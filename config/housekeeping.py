"""What must happen once in a cluster, however many hosts it has: done by whoever holds the advisory lock."""

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError
from django.db import connection as orm

from apikeys import database
from metering import partitions
from metering.limits import advance

LEADER_LOCK = 0x746F6C6D
"""Held by the leader's connection: when either dies, another jobs process gets it."""
CANDIDATE_SECONDS = 10.0
ROUND_SECONDS = 600.0
MINUTES_KEPT = timedelta(days=40)

logger = logging.getLogger("tollgate.jobs")


def run(stop: threading.Event) -> None:
    """Stand for election until `stop`, and keep the tables in order while elected."""
    while not stop.is_set():
        try:
            with psycopg.connect(database.address(), autocommit=True) as connection:
                connection.execute("SET lock_timeout = '5s'")
                if _is_elected(connection):
                    _lead(connection, stop)
        except psycopg.Error as error:
            logger.warning("housekeeping waits for the database: %s", error)
        stop.wait(CANDIDATE_SECONDS)


def keep_in_order(connection: psycopg.Connection[Any], now: datetime) -> None:
    """One round: partitions ahead; old partitions and minutes, marks of journals long gone, sessions that are over."""
    for name in partitions.make_ahead(connection, now):
        logger.info("made the partition %s", name)
    for name in partitions.drop_older(connection, now, keep_months=settings.KEEP_REQUESTS_MONTHS):
        logger.warning("dropped the partition %s: older than %d months", name, settings.KEEP_REQUESTS_MONTHS)
    connection.execute("DELETE FROM metering_usageminute WHERE started_at < %s", [now - MINUTES_KEPT])
    connection.execute("DELETE FROM metering_journalfolder WHERE is_closed AND created_at < %s", [now - MINUTES_KEPT])
    connection.execute("DELETE FROM django_session WHERE expire_date < %s", [now])


def advance_tiers(now: datetime) -> None:
    """Organizations that have reached their next tier; the ORM's connection of this thread is not kept."""
    try:
        for organization in advance.advance_all(now):
            logger.info("%s has moved to another tier", organization.name)
    except DatabaseError as error:
        logger.warning("tiers wait for the database: %s", error)
    finally:
        orm.close()


def _is_elected(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
    return bool(row and row[0])


def _lead(connection: psycopg.Connection[Any], stop: threading.Event) -> None:
    """A broken connection raises: with it the lock is lost, and the election starts anew."""
    while not stop.is_set():
        keep_in_order(connection, datetime.now(UTC))
        advance_tiers(datetime.now(UTC))
        rounds = int(ROUND_SECONDS / CANDIDATE_SECONDS)
        for _ in range(rounds):
            if stop.wait(CANDIDATE_SECONDS):
                return
            connection.execute("SELECT 1")
