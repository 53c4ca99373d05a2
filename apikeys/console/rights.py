"""What a page says to a person who may not see it. Who may is decided by `apikeys.permissions`."""

_REFUSALS = {
    "usage": "Usage and costs are for developers, billing and admins of a workspace.",
    "logs": "The logs of requests are for developers and admins of a workspace.",
    "keys": "API keys are for developers and admins of a workspace.",
    "limits": "Limits are for billing and admins of a workspace.",
    "admin_keys": "Admin keys are for admins of the organization.",
}


def refusal(right: str) -> str:
    """What a page says to a person without `right`."""
    return _REFUSALS.get(right, "An administrator of the organization can change your role.")
