"""`tollgate simulator`: the built-in upstream alone, also for testing one's own retry code against its faults."""

import argparse
import importlib


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "simulator",
        help="run the simulator alone",
        description="Run the simulator alone. Arguments that are not listed here go to it.",
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one and prints it")
    parser.add_argument("--ledger", metavar="FILE", help="append every request to this file")
    parser.set_defaults(run=run, needs_database=False, passes_rest=True)


def run(options: argparse.Namespace) -> int:
    ledger = ["--ledger", options.ledger] if options.ledger else []
    simulator = importlib.import_module("relay.upstreams.simulator.__main__")
    return int(simulator.main(["--port", str(options.port), *ledger, *options.rest]))
