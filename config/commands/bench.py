"""`tollgate bench`: how much of a machine Tollgate takes, beside nginx."""

import argparse
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("bench", help="measure Tollgate beside nginx as a plain proxy")
    parser.add_argument(
        "--seconds", type=_positive, default=5.0, metavar="N", help="of each measurement (default: %(default)g)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--console", action="store_true", help="also: what two console pages a second cost the relay")
    parser.add_argument("--write-docs", action="store_true", help="write docs/benchmark.md from this run")
    parser.set_defaults(run=run, needs_database=False)


def run(options: argparse.Namespace) -> int:
    from config.bench.command import bench

    return bench(
        seconds=options.seconds,
        json_file=options.json,
        with_console=options.console,
        writes_docs=options.write_docs,
    )


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError("more than 0")
    return number
