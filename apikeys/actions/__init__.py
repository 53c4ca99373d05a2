"""Every write to organizations, workspaces, keys and people: checked, audited, announced, in one transaction each.

The console, the Admin API and the command line all come through here, so that they cannot differ in rules or in trail.
Who may ask for what is decided before, by `apikeys.permissions`.
"""

from apikeys.actions.keys import create_key, rename_key, set_key_status
from apikeys.actions.organizations import archive_organization, create_organization
from apikeys.actions.people import add_member, change_role, ensure_operator, ensure_user, remove_member, update_person
from apikeys.actions.signin import create_signin_link, find_signin_link, redeem_signin_link
from apikeys.actions.workspaces import (
    add_workspace_member,
    archive_workspace,
    create_workspace,
    remove_workspace_member,
    update_workspace,
)
from apikeys.audit import Actor

__all__ = [
    "Actor",
    "add_member",
    "add_workspace_member",
    "archive_organization",
    "archive_workspace",
    "change_role",
    "create_key",
    "create_organization",
    "create_signin_link",
    "create_workspace",
    "ensure_operator",
    "ensure_user",
    "find_signin_link",
    "redeem_signin_link",
    "remove_member",
    "remove_workspace_member",
    "rename_key",
    "set_key_status",
    "update_person",
    "update_workspace",
]
