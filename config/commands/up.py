"""`tollgate up`: run everything on this machine."""

import argparse
import os


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("up", help="run everything: database, servers, jobs, simulator")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8000, help="the port to listen on; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        default=_default_workers(),
        metavar="N",
        help="web workers (default: one per core, at most 4)",
    )
    parser.add_argument(
        "--serve",
        choices=["all", "relay", "console"],
        default="all",
        help="what the workers serve (default: %(default)s)",
    )
    parser.set_defaults(run=run, needs_database=False)


def run(options: argparse.Namespace) -> int:
    from config.supervisor import options_from
    from config.supervisor import run as supervise

    return supervise(options_from(options))


def _default_workers() -> int:
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
