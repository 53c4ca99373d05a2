"""The database of this process: the embedded server while it is needed, or the operator's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.failures import Failure
from config.postgres.binaries import NoBinaries
from config.postgres.privileges import Unreachable
from config.postgres.server import DatabaseFailed, EmbeddedServer


@contextmanager
def database_used(data: Path) -> Iterator[EmbeddedServer | None]:
    """Reachable in the block. None when `DATABASE_URL` names a server, which is not ours to start."""
    if os.environ.get("DATABASE_URL"):
        yield None
        return
    server = EmbeddedServer(data)
    with naming_failures():
        server.enter(durable=is_durable())
    try:
        yield server
    finally:
        server.leave()


def is_durable() -> bool:
    """False only where tests trade safety from power cuts for speed."""
    return os.environ.get("TOLLGATE_DATABASE_FSYNC", "on") != "off"


@contextmanager
def naming_failures() -> Iterator[None]:
    """What can be wrong with a machine or a folder ends as one clear line."""
    try:
        yield
    except (DatabaseFailed, NoBinaries, Unreachable) as failure:
        raise Failure(str(failure)) from failure


@contextmanager
def database_held(data: Path) -> Iterator[None]:
    """Nobody else stops the embedded server in the block, which somebody else has started."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    server = EmbeddedServer(data)
    server.hold()
    try:
        yield
    finally:
        server.leave()
