"""`tollgate test`: the whole suite, on the database engine that production uses."""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "test",
        help="run the test suite",
        description="Run the test suite. Arguments that are not listed here go to pytest.",
        epilog="With TOLLGATE_TEST_REQUIRE=all, a test whose tool is missing here fails instead of skipping.",
        allow_abbrev=False,
    )
    parser.add_argument("--acceptance", action="store_true", help="the full sizes of the acceptance tests")
    parser.set_defaults(run=run, needs_database=False, passes_rest=True)


def run(options: argparse.Namespace) -> int:
    full = ["--acceptance"] if options.acceptance else []
    return subprocess.run([sys.executable, "-m", "pytest", *full, *options.rest], cwd=ROOT, check=False).returncode
