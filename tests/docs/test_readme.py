"""The README's tour, run as it stands: in a copy of the checkout, with a HOME of its own, on the port it names."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import Block, blocks
from tests.docs.shown import differs
from tests.requirements import do_without, require

ROOT = Path(__file__).resolve().parent.parent.parent
PORT = 8000
TOUR_SECONDS = 300

pytestmark = pytest.mark.timeout(TOUR_SECONDS + 60)

Step = dict[str, object]


@pytest.fixture(scope="module")
def steps() -> Iterator[list[Step]]:
    """What came of each block, in order; the last one is the end of `up`."""
    with tempfile.TemporaryDirectory(prefix="tour-") as folder:
        home, checkout = Path(folder) / "home", Path(folder) / "tollgate"
        Path(folder).chmod(0o755)  # as root, PostgreSQL may run as another user
        home.mkdir()
        copy_checkout(checkout)
        command = [*alone_on_the_machine(), sys.executable, "-m", "tests.docs.tour", str(checkout)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(home), capture_output=True, text=True, timeout=TOUR_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)


def copy_checkout(target: Path) -> None:
    """What git tracks or would track, as it stands here: the README and the code of the same moment."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
            (target / name).chmod((ROOT / name).stat().st_mode)


def alone_on_the_machine() -> list[str]:
    """What to put before a command for a network of its own, where the port is free; nothing where it is free here."""
    as_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    prefix = [str(require("unshare")), *as_user, "--net", "--"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return prefix
    with socket.socket() as probe:
        if not probe.connect_ex(("127.0.0.1", PORT)):
            do_without(f"port {PORT}, or a network namespace")
    return []


def environment(home: Path) -> dict[str, str]:
    """A login shell's, apart from the Python environment, which needs no network because it is made already."""
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "TOLLGATE_VENV": sys.prefix,
        "TOLLGATE_DATABASE_FSYNC": "off",
    }


def shown() -> list[tuple[Block, Block]]:
    """Each block that runs, with what the README shows below it."""
    found = blocks((ROOT / "README.md").read_text())
    return [(block, after) for block, after in zip(found, found[1:], strict=False) if after.language == "text"]


def test_every_block_works(steps: list[Step]) -> None:
    assert [step for step in steps[:-1] if step["status"] != 0] == []


def test_every_block_says_what_the_readme_shows(steps: list[Step]) -> None:
    came = {step["line"]: str(step["output"]) for step in steps}

    wrong = [differs(after.text, came[block.line]) for block, after in shown()]

    assert [difference for difference in wrong if difference] == []


def test_every_block_shows_something() -> None:
    runnable = [block for block in blocks((ROOT / "README.md").read_text()) if block.language != "text"]

    assert [block.line for block, _ in shown()] == [block.line for block in runnable]
    assert {block.language for block in runnable} == {"sh", "python"}


def test_ctrl_c_ends_it_in_good_order(steps: list[Step]) -> None:
    assert steps[-1]["status"] == 0
