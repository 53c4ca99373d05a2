"""Runs the README's blocks as a newcomer would: `up` in one terminal, everything else in a second one.

`python -m tests.docs.tour CHECKOUT` prints a JSON list of `{"line", "status", "output"}`, one entry per `sh` and
`python` block of `CHECKOUT/README.md` in their order. Standard library only: it runs in a network namespace of its own,
where nothing but loopback exists, and turns that on first if it is off.
"""

import fcntl
import json
import os
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.docs.markdown import Block, blocks

UP = "./tollgate up\n"
UP_SECONDS = 120
STOP_SECONDS = 60
READING_SECONDS = 2.0
"""What a person takes from one block to the next, at the least."""

_MARK = "the-block-ends-here"
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41


def main() -> None:
    checkout = Path(sys.argv[1])
    turn_on_loopback()
    found = [block for block in blocks((checkout / "README.md").read_text()) if block.language in {"sh", "python"}]
    json.dump(run(checkout, found), sys.stdout)


def turn_on_loopback() -> None:
    """In a new network namespace it is off. Elsewhere it is on, and nobody but root may ask."""
    with suppress(PermissionError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", _UP_AND_RUNNING))


def run(checkout: Path, found: list[Block]) -> list[dict[str, object]]:
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(checkout, Path(folder))
        served: Served | None = None
        try:
            for block in found:
                if block.text == UP:
                    served = Served(checkout)
                    status, output = served.start()
                else:
                    status, output = terminal.run(block)
                results.append({"line": block.line, "status": status, "output": output})
                time.sleep(READING_SECONDS)
        finally:
            terminal.close()
            if served is not None:
                results.append({"line": 0, "status": served.stop(), "output": ""})
    return results


class Terminal:
    """One shell in which block after block is run; what one exports the next one sees."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self._folder = folder
        self._shell = subprocess.Popen(
            ["sh"], cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, block: Block) -> tuple[int, str]:
        """Its exit status and everything it printed."""
        assert self._shell.stdin is not None
        script = self._folder / f"block-{block.line}"
        script.write_text(block.text)
        start = f". {script}" if block.language == "sh" else f"{shlex.quote(sys.executable)} {script}"
        self._shell.stdin.write(f'{start} < /dev/null; printf "\\n%s %s\\n" {_MARK} $?\n')
        self._shell.stdin.flush()
        return self._read()

    def _read(self) -> tuple[int, str]:
        lines: list[str] = []
        for line in self._shell.stdout or ():
            if line.startswith(_MARK):
                return int(line.split()[1]), "".join(lines).removesuffix("\n")
            lines.append(line)
        return self._shell.wait(), "".join(lines)

    def close(self) -> None:
        self._shell.communicate()


class Served:
    """`./tollgate up` in a terminal of its own, until Ctrl-C."""

    def __init__(self, checkout: Path) -> None:
        self._process = subprocess.Popen(
            shlex.split(UP),
            cwd=checkout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def start(self) -> tuple[int, str]:
        """0 and what it printed until it was ready; its exit status if it never is."""
        give_up = time.monotonic() + UP_SECONDS
        lines: list[str] = []
        for line in self._process.stdout or ():
            lines.append(line)
            if line.startswith("Ctrl-C"):
                return 0, "".join(lines)
            if time.monotonic() > give_up:
                break
        return self._process.poll() or 1, "".join(lines)

    def stop(self) -> int:
        """Ctrl-C, as the terminal sends it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
        return self._process.returncode


if __name__ == "__main__":
    main()
