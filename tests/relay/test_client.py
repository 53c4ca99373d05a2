"""The client's end: its leaving starts a drain, and every drain ends."""

import asyncio
from typing import Any, cast

import pytest

from relay.call import Call, Message
from relay.client import Client, Drains


class Leaving:
    """A call whose client has left when it is asked about."""

    def __init__(self) -> None:
        self.task = cast("asyncio.Task[Any]", asyncio.current_task())

    async def receive(self) -> Message:
        return {"type": "http.disconnect"}


@pytest.mark.parametrize("steps", range(5))
async def test_a_drain_ends_whenever_the_answer_does(steps: int) -> None:
    """Also when the client leaves in the very moment in which the answer ends."""
    drains = Drains()
    client = Client(cast(Call, Leaving()), drains)
    client._watch_now()
    for _ in range(steps):
        await asyncio.sleep(0)

    client.unwatch()
    for _ in range(5):
        await asyncio.sleep(0)

    assert drains._running == 0
    assert not client.gave_up
