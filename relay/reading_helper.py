"""The helper process for large bodies: each comes on standard input behind its length, what it says goes out as a line.

A line is JSON: the fields of a `Reading`, the last of them the fields of its `Reach`, or the text of the refusal.
"""

import contextlib
import json
import sys
from dataclasses import astuple
from typing import BinaryIO

from relay import errors, reading

LENGTH_BYTES = 8


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Until `source` ends."""
    while length := source.read(LENGTH_BYTES):
        body = source.read(int.from_bytes(length, "big"))
        sink.write(json.dumps(_told(body)).encode() + b"\n")
        sink.flush()


def _told(body: bytes) -> object:
    try:
        return astuple(reading.read(body))
    except errors.ApiError as error:
        return error.message


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # the worker has ended
        serve(sys.stdin.buffer, sys.stdout.buffer)
