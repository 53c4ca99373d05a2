"""The limits of an organization as a tree: itself, its workspaces, their keys; each with what holds there."""

from dataclasses import dataclass

from apikeys.models import ApiKey, Organization, Workspace
from metering.limits import scopes
from metering.limits.standing import Line, on_the_way, standing, winners


@dataclass(frozen=True, slots=True)
class Node:
    """A scope with limits. `kind` is `organization`, `workspace` or `key`; `path` what a request in it counts in."""

    kind: str
    id: str
    name: str
    workspace: Workspace | None
    scope: str
    path: tuple[str, ...]
    lines: list[Line]
    """Its own limits."""
    stops: list[Line]
    """Those of the whole path that would stop a request here first."""

    def wins(self, line: Line) -> bool:
        return line in self.stops


def tree(organization: Organization) -> list[Node]:
    """The organization first, then each workspace with limits of its own or keys that have some, followed by these."""
    lines = standing(organization.id)
    limited = {line.scope for line in lines}
    own = scopes.of_organization(str(organization.id))
    keys = _keys(limited)
    workspaces = {key.workspace for key in keys if key.workspace} | set(_workspaces(limited))
    found = [_node("organization", organization, None, (own,), lines)]
    for workspace in sorted(workspaces, key=lambda one: (not one.is_default, one.name.casefold())):
        path = (own, scopes.of_workspace(workspace.id))
        found.append(_node("workspace", workspace, workspace, path, lines))
        for key in keys:
            if key.workspace_id == workspace.id:
                found.append(_node("key", key, workspace, (*path, scopes.of_key(key.id)), lines))
    return found


def _node(
    kind: str,
    thing: Organization | Workspace | ApiKey,
    workspace: Workspace | None,
    path: tuple[str, ...],
    lines: list[Line],
) -> Node:
    bound = on_the_way(lines, path)
    best = winners(bound)
    return Node(
        kind=kind,
        id=str(thing.pk),
        name=thing.name,
        workspace=workspace,
        scope=path[-1],
        path=path,
        lines=[line for line in bound if line.scope == path[-1]],
        stops=[line for line in bound if (line.scope, line.model_class, line.kind) in best],
    )


def _keys(limited: set[str]) -> list[ApiKey]:
    ids = [scope.partition(":")[2] for scope in limited if scope.startswith("key:")]
    return list(ApiKey.objects.filter(pk__in=ids).select_related("workspace").order_by("name", "id"))


def _workspaces(limited: set[str]) -> list[Workspace]:
    ids = [scope.partition(":")[2] for scope in limited if scope.startswith("ws:")]
    return list(Workspace.objects.filter(pk__in=ids))
