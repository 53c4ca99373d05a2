"""A child process's tie to its supervisor: a pipe that closes when the supervisor is gone, however it ended."""

import asyncio
import os
from collections.abc import Callable


def on_parents_end(callback: Callable[[], None]) -> None:
    """Call back once, in the running loop, at the end of the pipe in `TOLLGATE_PARENT_FD`. Without one: never."""
    given = os.environ.get("TOLLGATE_PARENT_FD")
    if not given:
        return
    loop, pipe = asyncio.get_running_loop(), int(given)

    def closed() -> None:
        loop.remove_reader(pipe)
        callback()

    loop.add_reader(pipe, closed)
