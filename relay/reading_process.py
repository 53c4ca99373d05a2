"""Large bodies are read in a helper process: 28 MB of tiny objects take seconds, and the event loop must not wait."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from metering.limits.worst import Reach
from relay import errors, reading
from relay.reading import Reading
from relay.reading_helper import LENGTH_BYTES

INLINE_BYTES = 256 << 10
"""The worst body of this size takes some 15 ms, an ordinary one 0.2 ms: less than it costs to hand it over."""

LARGE_BYTES = 4 << 20
"""The worst body of this size keeps a helper busy for half a second."""

READ_SECONDS = 30.0
_ROOT = Path(__file__).resolve().parent.parent


class HelperDied(Exception):
    """It was killed, by somebody or by us, because it took too long."""


class BodyReader:
    """Reads small bodies at once, large ones in a helper process, and very large ones in a second one.

    So what takes seconds keeps nobody waiting whose body takes milliseconds. Helpers start when they are first needed.
    """

    def __init__(self) -> None:
        self._large = _Queue()
        self._very_large = _Queue()

    async def read(self, body: bytes) -> Reading:
        """As `reading.read`. Raises 529 when the helper died over it."""
        if len(body) <= INLINE_BYTES:
            return reading.read(body)
        queue = self._large if len(body) <= LARGE_BYTES else self._very_large
        try:
            answer = await queue.read(body)
        except HelperDied:
            raise errors.overloaded("body_reader_died") from None
        if isinstance(answer, str):
            raise errors.body_invalid(answer)
        return answer

    def close(self) -> None:
        self._large.close()
        self._very_large.close()


class _Queue:
    """A helper and the one thread that talks to it; moving a body, the thread lets the event loop run."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="body reader")
        self._helper: _Helper | None = None

    async def read(self, body: bytes) -> Reading | str:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, body)

    def close(self) -> None:
        if self._helper is not None:
            self._helper.kill()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(self, body: bytes) -> Reading | str:
        helper = self._helper = self._helper or _Helper()
        try:
            return helper.read(body)
        except HelperDied:
            self._helper = None
            raise


class _Helper:
    """The process `relay.reading_helper`. It ends by itself when its worker has."""

    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "relay.reading_helper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )

    def read(self, body: bytes) -> Reading | str:
        """The reading, or the text of the refusal. Raises `HelperDied`, also after `READ_SECONDS`."""
        watchdog = threading.Timer(READ_SECONDS, self.kill)
        watchdog.start()
        try:
            return self._exchanged(body)
        except (OSError, ValueError) as error:
            self.kill()
            raise HelperDied from error
        finally:
            watchdog.cancel()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _exchanged(self, body: bytes) -> Reading | str:
        source, sink = self._process.stdout, self._process.stdin
        assert source is not None
        assert sink is not None
        _write_all(sink.fileno(), len(body).to_bytes(LENGTH_BYTES, "big"))
        _write_all(sink.fileno(), body)
        answer = json.loads(source.readline())
        if isinstance(answer, str):
            return answer
        model, is_stream, max_tokens, size, reach = answer
        return Reading(model, is_stream, max_tokens, size, Reach(*reach))


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
