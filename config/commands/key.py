"""`tollgate key`: issue keys, see them, stop them."""

import argparse
import sys
from typing import TYPE_CHECKING

from config.failures import Failure
from config.tables import table

if TYPE_CHECKING:
    from apikeys.models import ApiKey, Organization, Workspace

_HEADINGS = ("ID", "ORGANIZATION", "WORKSPACE", "NAME", "KIND", "HINT", "STATUS", "CREATED", "EXPIRES", "LAST USED")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("key", help="create, list and revoke API keys")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_create(verbs)
    revoke = verbs.add_parser("revoke", help="stop one everywhere, for good")
    revoke.add_argument("key", metavar="ID_OR_SECRET")
    revoke.set_defaults(run=_revoke, needs_database=True)
    list_ = verbs.add_parser("list", help="all of them, without their secrets")
    list_.add_argument("--organization", metavar="NAME_OR_ID", help="of this one only")
    list_.set_defaults(run=_list, needs_database=True)


def _add_create(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    create = verbs.add_parser("create", help="create one and print its secret, which is shown only now")
    create.add_argument("--organization", required=True, metavar="NAME_OR_ID")
    place = create.add_mutually_exclusive_group()
    place.add_argument("--workspace", metavar="NAME", help="made if there is none of that name (default: Default)")
    place.add_argument("--admin", action="store_true", help="a key for the Admin API, which calls no models")
    create.add_argument("--name", default="from the command line", metavar="N")
    create.add_argument("--expires-in", metavar="D", help="45m, 3h, 30d or 12w from now (default: never)")
    create.set_defaults(run=_create, needs_database=True)


def _create(options: argparse.Namespace) -> int:
    from apikeys import find
    from apikeys.errors import ChangeRefused, NotFound

    try:
        organization = find.organization(options.organization)
        workspace, is_new, secret = _issue(organization, options)
    except (ChangeRefused, NotFound, ValueError) as refused:
        raise Failure(str(refused)) from None
    if is_new and workspace is not None:
        print(f"created the workspace “{workspace.name}” ({workspace.id})", file=sys.stderr)
    print(secret)
    return 0


def _issue(organization: "Organization", options: argparse.Namespace) -> tuple["Workspace | None", bool, str]:
    """The workspace, whether it had to be made, and the secret: all of it, or nothing at all."""
    from django.db import transaction
    from django.utils import timezone

    from apikeys import actions, durations

    expires_at = timezone.now() + durations.parse(options.expires_in) if options.expires_in else None
    with transaction.atomic():
        workspace, is_new = _workspace(organization, options.workspace)
        _, secret = actions.create_key(
            organization=organization,
            workspace=workspace,
            name=options.name,
            kind="admin" if options.admin else "api",
            expires_at=expires_at,
            actor=actions.Actor.command_line(),
        )
    return workspace, is_new, secret


def _workspace(organization: "Organization", name: str | None) -> tuple["Workspace | None", bool]:
    """The workspace of that name and whether it is new; None for the default one."""
    from apikeys import actions, find
    from apikeys.errors import NotFound

    if name is None:
        return None, False
    try:
        return find.workspace(organization, name), False
    except NotFound:
        return actions.create_workspace(organization, name, actor=actions.Actor.command_line()), True


def _revoke(options: argparse.Namespace) -> int:
    from apikeys import actions, find
    from apikeys.errors import NotFound

    try:
        key = find.api_key(options.key)
    except NotFound as missing:
        raise Failure(str(missing)) from None
    actions.set_key_status(key, "archived", actor=actions.Actor.command_line())
    print(f"revoked {key.id} ({key.name}, {key.hint})", file=sys.stderr)
    return 0


def _list(options: argparse.Namespace) -> int:
    from apikeys import find
    from apikeys.errors import NotFound
    from apikeys.models import ApiKey

    wanted = ApiKey.objects.select_related("organization", "workspace").order_by("organization__name", "created_at")
    if options.organization:
        try:
            wanted = wanted.filter(organization=find.organization(options.organization))
        except NotFound as missing:
            raise Failure(str(missing)) from None
    print(table(_HEADINGS, [_row(key) for key in wanted]))
    return 0


def _row(key: "ApiKey") -> tuple[str, ...]:
    return (
        key.id,
        key.organization.name,
        key.workspace.name if key.workspace else "-",
        key.name,
        key.kind,
        key.hint,
        key.status,
        f"{key.created_at:%Y-%m-%d}",
        f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never",
        f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
    )
