"""The centre as a worker reaches it: a few connections, and one call for each thing to ask."""

import os
import socket
from typing import Any
from uuid import UUID

import orjson

from apikeys.database import Session

_DRAW = "SELECT tollgate_draw(%s, %s, %s, %s)::text"
_BEAT = "SELECT tollgate_beat(%s, %s, %s, %s, %s, %s)::text"
_BURY = "SELECT tollgate_bury(%s, %s)"
_LEAVE = "DELETE FROM limit_worker WHERE id = %s"

DRAWING_CONNECTIONS = 3


class Centre:
    """Raises `apikeys.database.Unavailable` when PostgreSQL does not answer within a few seconds.

    A draw that was lost on the way may be repeated with its number: the answer is the same.
    """

    def __init__(self) -> None:
        self._drawing = tuple(Session() for _ in range(DRAWING_CONNECTIONS))
        self._beating = Session()
        self._next = 0
        self._place = orjson.dumps({"host": socket.gethostname(), "pid": os.getpid()}).decode()

    async def draw(self, worker: UUID, number: int, organization_id: str, batch: dict[str, Any]) -> dict[str, Any]:
        self._next = (self._next + 1) % DRAWING_CONNECTIONS
        session = self._drawing[self._next]
        return await _asked(session, _DRAW, (worker, number, organization_id, _json(batch)))

    async def beat(
        self, worker: UUID, number: int, answered: int, known: dict[str, int], slots: list[Any]
    ) -> dict[str, Any]:
        return await _asked(self._beating, _BEAT, (worker, number, answered, self._place, _json(known), _json(slots)))

    async def bury(self, worker: str, number: int) -> None:
        await self._beating.fetch(_BURY, (worker, number))

    async def leave(self, worker: UUID) -> None:
        """What it had in use is free; what it posted needs no memory any more."""
        await self._beating.fetch(_LEAVE, (worker,))

    async def close(self) -> None:
        for session in (*self._drawing, self._beating):
            await session.close()


async def _asked(session: Session, statement: str, parameters: tuple[Any, ...]) -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads((await session.fetch(statement, parameters))[0][0])
    return answer


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
