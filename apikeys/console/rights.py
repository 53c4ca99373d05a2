"""Which roles open which rooms of the console. Pure: names of roles in, answers out.

Rights: `usage` (figures and costs), `logs` (single requests), `keys` (see, make and stop API keys), `admin_keys`.
"""

_BY_ROLE = {
    "workspace_user": frozenset[str](),
    "workspace_restricted_developer": frozenset({"usage", "logs", "keys"}),
    "workspace_developer": frozenset({"usage", "logs", "keys"}),
    "workspace_admin": frozenset({"usage", "logs", "keys"}),
    "workspace_billing": frozenset({"usage"}),
}
_EVERYWHERE = {
    "admin": frozenset({"usage", "logs", "keys", "admin_keys"}),
    "billing": frozenset({"usage"}),
}
_IN_DEFAULT = {
    "admin": "workspace_admin",
    "billing": "workspace_billing",
    "developer": "workspace_developer",
    "claude_code_user": "workspace_user",
    "user": "workspace_user",
}
_IN_OTHERS = {"admin": "workspace_admin", "billing": "workspace_billing"}
_REFUSALS = {
    "usage": "Usage and costs are for developers, billing and admins of a workspace.",
    "logs": "The logs of requests are for developers and admins of a workspace.",
    "keys": "API keys are for developers and admins of a workspace.",
    "admin_keys": "Admin keys are for admins of the organization.",
}


def workspace_role(organization_role: str, given: str | None, is_default: bool) -> str | None:
    """The role in one workspace: inherited from the organization, or `given` there; None: cannot see it.

    Access to the default workspace follows the role in the organization alone.
    """
    inherited = (_IN_DEFAULT if is_default else _IN_OTHERS).get(organization_role)
    if is_default or given is None:
        return inherited
    if inherited is None or (inherited == "workspace_billing" and given == "workspace_admin"):
        return given
    return inherited


def has(role: str | None, right: str) -> bool:
    return right in _BY_ROLE.get(role or "", ())


def everywhere(organization_role: str, right: str) -> bool:
    return right in _EVERYWHERE.get(organization_role, ())


def refusal(right: str) -> str:
    """What a page says to a person without `right`."""
    return _REFUSALS.get(right, "An administrator of the organization can change your role.")
