"""`tollgate credit`: what organizations have paid in advance."""

import argparse

from config.commands.limit import picos_of, print_unaware
from config.failures import Failure


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("credit", help="sell prepaid credit")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", help="add some; from the first on, the organization spends no more than it has")
    add.add_argument("--organization", required=True, metavar="NAME_OR_ID")
    add.add_argument("amount", type=picos_of, metavar="USD")
    add.add_argument("--note", default="", metavar="TEXT")
    add.set_defaults(run=_add, needs_database=True)


def _add(options: argparse.Namespace) -> int:
    from apikeys import find
    from apikeys.audit import Actor
    from apikeys.errors import ChangeRefused, NotFound
    from metering.limits import credits, effective

    try:
        organization = find.organization(options.organization)
        change = credits.add_credit(organization, options.amount, note=options.note, actor=Actor.command_line())
    except (ChangeRefused, NotFound) as refused:
        raise Failure(str(refused)) from None
    print_unaware(effective.wait_until_known(change))
    return 0
