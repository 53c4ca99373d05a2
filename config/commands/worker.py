"""`tollgate worker`: the processes that admit requests, what money they hold, and how to write a lost one off."""

import argparse
from typing import TYPE_CHECKING

from config.failures import Failure
from config.tables import table
from metering.money import usd

if TYPE_CHECKING:
    from metering.limits.holders import Holder

_HEADINGS = ("WORKER", "HOST", "PROCESS", "STATE", "HELD USD")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("worker", help="who admits requests, and what they hold")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    list_ = verbs.add_parser("list", help="all processes, and what money each holds")
    list_.set_defaults(run=_list, needs_database=True)
    forget = verbs.add_parser("forget", help="free what a process holds whose journal is lost for good")
    forget.add_argument("id", metavar="ID")
    forget.set_defaults(run=_forget, needs_database=True)


def _list(options: argparse.Namespace) -> int:  # noqa: ARG001
    from metering.limits import holders

    print(table(_HEADINGS, [_line(holder) for holder in holders.every()], numbers=1))
    return 0


def _forget(options: argparse.Namespace) -> int:
    from uuid import UUID

    from apikeys.audit import Actor
    from metering.limits import holders

    try:
        freed = holders.forget(UUID(options.id), actor=Actor.command_line())
    except ValueError:
        raise Failure(f"{options.id} is no worker's id.") from None
    except holders.StillAlive as alive:
        raise Failure(str(alive)) from None
    print(f"{usd(freed)} USD are free again.")
    return 0


def _line(holder: "Holder") -> tuple[str, ...]:
    state = "alive" if holder.is_alive else "gone"
    return (str(holder.id), holder.host or "-", str(holder.pid or "-"), state, usd(holder.held_picos))
