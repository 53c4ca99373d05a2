"""Large bodies are read in a helper process: 28 MB of tiny objects take seconds, and the event loop must not wait."""

import asyncio
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess

from relay import errors, reading
from relay.reading import Reading

INLINE_BYTES = 1 << 20


class BodyReader:
    """Reads small bodies at once, large ones in one helper process that starts when it is first needed."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def read(self, body: bytes) -> Reading:
        """As `reading.read`."""
        if len(body) <= INLINE_BYTES:
            return reading.read(body)
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._started(), _read_apart, body)
        except BrokenProcessPool:
            self.close()
            raise errors.overloaded("body_reader_died") from None
        if isinstance(answer, str):
            raise errors.body_invalid(answer)
        return answer

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_end_with_parent)
        return self._pool


def _read_apart(body: bytes) -> Reading | str:
    """The reading, or the text of the refusal: exceptions of ours need not cross process borders."""
    try:
        return reading.read(body)
    except errors.ApiError as error:
        return error.message


def _end_with_parent() -> None:
    """A killed worker leaves no helper behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(0)
