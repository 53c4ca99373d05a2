"""Whom a limit binds, what it counts, and what one request asks for. Pure."""

from typing import Literal, NamedTuple

Kind = Literal["requests", "input_tokens", "output_tokens"]

KINDS: tuple[Kind, ...] = ("requests", "input_tokens", "output_tokens")
CONCURRENCY = "concurrency"

ALL_MODELS = ""
"""The model class of a limit that is one bucket over all models."""


class BucketKey(NamedTuple):
    """One token bucket: `capacity` a minute for this scope, class and kind."""

    scope: str
    model_class: str
    kind: str


class Demand(NamedTuple):
    """What a request would take. `workspace_id` is the real id, also of the default workspace.

    `at_us` is when it began, by the centre's clock: it decides the periods. `worst_picos` is the dearest that it can
    get, None when it has no bound: then `has_unbounded` names the field.
    """

    organization_id: str
    workspace_id: str | None
    api_key_id: str
    model: str
    model_class: str
    input_tokens: int
    at_us: int = 0
    worst_picos: int | None = 0
    has_unbounded: str = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """All that it counts in, the widest first."""
        return scopes(self.organization_id, self.workspace_id, self.api_key_id)


class BucketState(NamedTuple):
    """How a bucket stood at one moment, as headers and pages tell it."""

    key: BucketKey
    capacity: int
    remaining: int
    """What is left, at least 0."""
    reset_at_us: int
    """When it is full again."""


def scopes(organization_id: str, workspace_id: str | None, api_key_id: str) -> tuple[str, ...]:
    if workspace_id is None:
        return (of_organization(organization_id), of_key(api_key_id))
    return (of_organization(organization_id), of_workspace(workspace_id), of_key(api_key_id))


def of_organization(organization_id: str) -> str:
    return f"org:{organization_id}"


def of_workspace(workspace_id: str) -> str:
    return f"ws:{workspace_id}"


def of_key(api_key_id: str) -> str:
    return f"key:{api_key_id}"
