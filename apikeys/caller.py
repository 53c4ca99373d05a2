"""Whose request it is, as every later step of the pipeline sees it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a key that was good at one moment. Nothing in it changes during a key's life."""

    organization_id: str
    """UUID text."""
    workspace_id: str | None
    """The real `wrkspc_` id, also for the default workspace; None for admin keys."""
    is_default_workspace: bool
    api_key_id: str
    kind: str
    """`api` or `admin`."""
    expires_at: float | None
    """Epoch seconds; None for a key without an end."""
