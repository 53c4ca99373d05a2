"""nginx as a plain proxy, from the committed configuration file.

By hand: `python -m config.bench.nginx --port P --mock-port M`.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from config.failures import Failure

CONFIGURATION = Path(__file__).with_name("nginx.conf")
START_SECONDS = 5.0


def find() -> str | None:
    """The nginx program, also where an ordinary user's PATH leaves out /usr/sbin."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/sbin")


def version(program: str) -> str:
    answer = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stderr.strip().rpartition("/")[2] or "unknown"


@contextlib.contextmanager
def running(program: str, *, port: int, mock_port: int) -> Iterator[int]:
    """nginx on 127.0.0.1:`port` in front of the mock; yields the process id of its master."""
    with tempfile.TemporaryDirectory(prefix="tollgate-nginx-") as folder:
        prefix = Path(folder)
        prefix.chmod(0o755)  # started as root, its worker is another user
        shutil.copy(CONFIGURATION, prefix / "nginx.conf")
        (prefix / "listen.conf").write_text(f"listen 127.0.0.1:{port};\n")
        (prefix / "mock.conf").write_text(f"server 127.0.0.1:{mock_port};\n")
        command = [program, "-p", folder, "-c", str(prefix / "nginx.conf"), "-e", str(prefix / "error.log")]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:  # noqa: S603
            try:
                _wait_for(process, prefix)
                yield process.pid
            finally:
                process.terminate()
                process.wait(timeout=10)


def _wait_for(process: subprocess.Popen[bytes], prefix: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (prefix / "nginx.pid").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            log = prefix / "error.log"
            raise Failure(f"nginx did not start: {log.read_text().strip() if log.exists() else 'no message'}")
        time.sleep(0.02)


def workers(master: int) -> list[int]:
    """The process ids of the master's workers."""
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mock-port", type=int, required=True)
    parser.add_argument("--core", type=int, help="the only processor core its worker runs on")
    args = parser.parse_args()
    program = find()
    if program is None:
        print("nginx is not installed", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us in the background
    with (
        contextlib.suppress(KeyboardInterrupt),
        running(program, port=args.port, mock_port=args.mock_port) as master,
    ):
        if args.core is not None:
            for worker in workers(master):
                os.sched_setaffinity(worker, {args.core})
        print(f"nginx {version(program)} on http://127.0.0.1:{args.port}, workers {workers(master)}", flush=True)
        while True:
            time.sleep(3600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
