"""`tollgate org`: the tenants of this installation."""

import argparse

from config.failures import Failure
from config.tables import table


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("org", help="create and list organizations")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    create = verbs.add_parser("create", help="create one and print its id")
    create.add_argument("name")
    create.add_argument("--tier", metavar="T", help="its usage tier (default: TOLLGATE_DEFAULT_TIER, else scale)")
    create.set_defaults(run=_create, needs_database=True)
    verbs.add_parser("list", help="all of them").set_defaults(run=_list, needs_database=True)


def _create(options: argparse.Namespace) -> int:
    from apikeys import actions
    from apikeys.errors import ChangeRefused

    try:
        made = actions.create_organization(options.name, tier=options.tier, actor=actions.Actor.command_line())
    except ChangeRefused as refused:
        raise Failure(refused.message) from None
    print(made.id)
    return 0


def _list(_: argparse.Namespace) -> int:
    from apikeys.models import Organization

    rows = [
        (str(one.id), one.name, one.tier, f"{one.created_at:%Y-%m-%d}", "archived" if one.archived_at else "active")
        for one in Organization.objects.order_by("created_at")
    ]
    print(table(("ID", "NAME", "TIER", "CREATED", "STATUS"), rows))
    return 0
