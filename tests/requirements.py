"""Tools that some tests need and some machines lack. A missing one skips by name, or fails where all are demanded."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

_PROGRAMS = {
    "curl": ("curl",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "node": ("node",),
    "npm": ("npm",),
    "nginx": ("nginx", "/usr/sbin/nginx"),
    "unshare": ("unshare",),
}


def require(name: str) -> Path:
    """The path of the program `name`, or `/` for "root"; otherwise the test skips.

    With TOLLGATE_TEST_REQUIRE=all it fails instead, so that nothing goes untested unseen.
    """
    if name == "root":
        found: str | None = "/" if os.geteuid() == 0 else None
    else:
        found = next(filter(None, map(shutil.which, _PROGRAMS[name])), None)
    if not found:
        do_without(name)
    return Path(found)


def do_without(name: str) -> NoReturn:
    """Something that this test needs is not to be had here."""
    if os.environ.get("TOLLGATE_TEST_REQUIRE") == "all":
        pytest.fail(f"{name} is missing, and TOLLGATE_TEST_REQUIRE=all", pytrace=False)
    pytest.skip(f"needs {name}")
