"""`tollgate check`: everything that can be known without running Tollgate."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_PROGRAMS = Path(sys.executable).parent

CHECKS: dict[str, list[str | Path]] = {
    "style": [_PROGRAMS / "ruff", "check"],
    "format": [_PROGRAMS / "ruff", "format", "--check"],
    "types": [_PROGRAMS / "mypy", "."],
    "layers": [_PROGRAMS / "lint-imports"],
    "deployment": [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "static": [sys.executable, "-m", "pytest", "tests/static"],
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("check", help="check style, types, layers, settings, migrations and shape")
    parser.add_argument("only", nargs="*", metavar="CHECK", help=f"only these, of: {', '.join(CHECKS)}")
    parser.set_defaults(run=run, needs_database=False)


def run(options: argparse.Namespace) -> int:
    """All of them, also after one has failed; 1 if any has."""
    unknown = set(options.only) - set(CHECKS)
    if unknown:
        print(f"tollgate: no such check: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="tollgate-check-") as data:
        failed = [name for name in options.only or CHECKS if not _passes(name, data)]
    if failed:
        print(f"tollgate: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _passes(name: str, data: str) -> bool:
    """Settings come from a folder that is thrown away, for an installation with an address in public."""
    environment = {**os.environ, "TOLLGATE_DATA": data, "TOLLGATE_PUBLIC_URL": "https://tollgate.example"}
    print(f"== {name}", flush=True)
    return subprocess.run(CHECKS[name], cwd=ROOT, env=environment, check=False).returncode == 0
