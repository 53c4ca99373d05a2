"""`tollgate org`: the tenants of this installation."""

import argparse
from typing import TYPE_CHECKING

from config.failures import Failure
from config.tables import table

if TYPE_CHECKING:
    from apikeys.models import Organization


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("org", help="create and list organizations")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    create = verbs.add_parser("create", help="create one and print its id")
    create.add_argument("name")
    create.add_argument("--tier", metavar="T", help="its usage tier (default: TOLLGATE_DEFAULT_TIER, else custom)")
    create.set_defaults(run=_create, needs_database=True)
    verbs.add_parser("list", help="all of them").set_defaults(run=_list, needs_database=True)


def _create(options: argparse.Namespace) -> int:
    from apikeys.errors import ChangeRefused

    try:
        made = _make(options.name, options.tier)
    except ChangeRefused as refused:
        raise Failure(refused.message) from None
    print(made.id)
    return 0


def _make(name: str, tier: str | None) -> "Organization":
    """The operators become its first admins: without any member nobody could open it in the console."""
    from django.db import transaction

    from apikeys import actions
    from apikeys.models import User

    actor = actions.Actor.command_line()
    with transaction.atomic():
        made = actions.create_organization(name, tier=tier, actor=actor)
        for operator in User.objects.filter(is_superuser=True, is_active=True):
            actions.add_member(made, operator, "admin", actor=actor)
    return made


def _list(_: argparse.Namespace) -> int:
    from apikeys.models import Organization

    rows = [
        (str(one.id), one.name, one.tier, f"{one.created_at:%Y-%m-%d}", "archived" if one.archived_at else "active")
        for one in Organization.objects.order_by("created_at")
    ]
    print(table(("ID", "NAME", "TIER", "CREATED", "STATUS"), rows))
    return 0
