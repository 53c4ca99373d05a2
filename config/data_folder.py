"""The folder in which an installation keeps everything that is its own."""

import os
from pathlib import Path

from config.failures import Failure


def make_data_folder(data: Path) -> None:
    """There afterwards, and writable; otherwise a `Failure` that says what to do."""
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise Failure(f"cannot make {data}: {failure.strerror}. Choose another folder with --data DIR.") from failure
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise Failure(f"cannot write in {data}. Choose another folder with --data DIR.")
