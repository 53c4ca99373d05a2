"""`./tollgate`: finds the command, makes the database reachable if it needs one, and turns failures into exit codes.

0: done. 1: it did not work, stderr says why. 2: it was asked wrongly.
"""

import argparse
import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import commands
from config.failures import Failure

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    parser = build_parser()
    arguments = sys.argv[1:] if arguments is None else arguments
    options, rest = parser.parse_known_args(arguments)
    if rest and not getattr(options, "passes_rest", False):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if not hasattr(options, "run"):
        parser.print_help()
        return 0 if not arguments else 2
    options.rest = rest
    options.data = _choose_data(getattr(options, "data", None))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        return _run(options)
    except Failure as failure:
        print(f"tollgate: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _leave(number: int, frame: object) -> None:
    """An exit that runs what is to be done on leaving: stopping a database that nobody else uses."""
    sys.exit(128 + number)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tollgate",
        description="A self-hosted, multi-tenant, metered endpoint for the Claude API.",
        epilog="Start with `tollgate up`. Settings are environment variables; docs/settings.md lists them.",
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", title="commands")
    for found in sorted(pkgutil.iter_modules(commands.__path__), key=lambda module: module.name):
        importlib.import_module(f"{commands.__name__}.{found.name}").add_parser(subparsers)
    _give_data_option(parser)
    return parser


def _give_data_option(parser: argparse.ArgumentParser) -> None:
    """`--data` means the same everywhere, before and after the command."""
    if "--data" not in parser._option_string_actions:
        parser.add_argument(
            "--data", type=Path, metavar="DIR", default=argparse.SUPPRESS, help="the data folder (default: ./var)"
        )
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _give_data_option(below)


def _choose_data(given: Path | None) -> Path:
    """The data folder, also for settings and child processes, which read it from the environment."""
    data = (given or Path(os.environ.get("TOLLGATE_DATA") or ROOT / "var")).expanduser().absolute()
    os.environ["TOLLGATE_DATA"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    return data


def _run(options: argparse.Namespace) -> int:
    if not getattr(options, "needs_database", False):
        return int(options.run(options) or 0)
    with _database(options.data):
        return int(options.run(options) or 0)


@contextmanager
def _database(data: Path) -> Iterator[None]:
    from config.data_folder import make_data_folder
    from config.installation import prepare
    from config.postgres.use import database_used

    make_data_folder(data)
    with database_used(data):
        prepare()
        yield


if __name__ == "__main__":
    sys.exit(main())
