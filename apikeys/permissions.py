"""What each of Claude's roles may do: one table for the console and the Admin API. Pure: names in, answers out.

The role in the organization is the floor; a role given in a workspace adds rights in that one. Nobody has a right in
an organization that they are no member of; an operator's rights over the installation are another matter.
"""

from collections.abc import Mapping
from enum import StrEnum


class Right(StrEnum):
    PLAYGROUND = "playground"
    KEYS = "keys"
    """See, make and stop API keys."""
    USAGE = "usage"
    """Figures and costs."""
    LOGS = "logs"
    """Single requests."""
    FILES = "files"
    """Download files and session traces."""
    LIMITS = "limits"
    """See limits; to change them is part of `workspace`."""
    WORKSPACE = "workspace"
    """A workspace's settings, members and limits."""
    ORGANIZATION = "organization"
    """Make and archive workspaces; members and their roles."""
    ADMIN_KEYS = "admin_keys"
    BILLING = "billing"
    AUDIT = "audit"


_PLAYER = frozenset({Right.PLAYGROUND})
_LIMITED_DEVELOPER = _PLAYER | {Right.KEYS, Right.USAGE, Right.LOGS}
_DEVELOPER = _LIMITED_DEVELOPER | {Right.FILES}
_ACCOUNTANT = _PLAYER | {Right.USAGE, Right.LIMITS}

_IN_WORKSPACE: Mapping[str, frozenset[Right]] = {
    "workspace_user": _PLAYER,
    "workspace_restricted_developer": _LIMITED_DEVELOPER,
    "workspace_developer": _DEVELOPER,
    "workspace_admin": _DEVELOPER | {Right.LIMITS, Right.WORKSPACE},
    "workspace_billing": _ACCOUNTANT,
}
_EVERYWHERE: Mapping[str, frozenset[Right]] = {
    "user": frozenset(),
    "claude_code_user": frozenset(),
    "developer": frozenset(),
    "billing": _ACCOUNTANT | {Right.BILLING},
    "admin": frozenset(Right),
}
_INHERITED = {"admin": "workspace_admin", "billing": "workspace_billing"}
_INHERITED_IN_DEFAULT = _INHERITED | {
    "developer": "workspace_developer",
    "claude_code_user": "workspace_user",
    "user": "workspace_user",
}


def workspace_role(organization_role: str, given: str | None, *, is_default: bool) -> str | None:
    """The role in one workspace, inherited from the organization or `given` there; None for no access.

    The default workspace has no members of its own. Admins stay admins; billing may be raised to admin.
    """
    if is_default:
        return _INHERITED_IN_DEFAULT.get(organization_role)
    inherited = _INHERITED.get(organization_role)
    if inherited is None or (inherited == "workspace_billing" and given == "workspace_admin"):
        return given
    return inherited


def may(role: str | None, right: str) -> bool:
    """Whether somebody with this workspace role has `right` in the workspace. Unknown roles have none."""
    return right in _IN_WORKSPACE.get(role or "", frozenset())


def may_everywhere(organization_role: str, right: str) -> bool:
    """Whether the role in the organization alone gives `right`: in every workspace, archived ones too, and outside."""
    return right in _EVERYWHERE.get(organization_role, frozenset())
