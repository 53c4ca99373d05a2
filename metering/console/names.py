"""What ids are called: reports and records hold ids alone."""

from collections.abc import Iterable

from apikeys.console.place import Place
from apikeys.models import ApiKey, Workspace

NAMELESS = {
    "model": "no model",
    "api_key_id": "no key",
    "workspace_id": "no workspace",
}


def names(place: Place, dimension: str, ids: Iterable[str | None]) -> dict[str, str]:
    """Names by id, for ids of the place's organization; at most one query."""
    wanted = {id for id in ids if id}
    found = {"": NAMELESS.get(dimension, "none")}
    if dimension == "api_key_id" and wanted:
        keys = ApiKey.objects.filter(organization=place.organization, pk__in=wanted)
        found.update(keys.values_list("id", "name"))
    elif dimension == "workspace_id" and wanted:
        found.update({one.id: one.name for one in place.workspaces})
        if missing := wanted - found.keys():
            archived = Workspace.objects.filter(organization=place.organization, pk__in=missing)
            found.update(archived.values_list("id", "name"))
    return found
