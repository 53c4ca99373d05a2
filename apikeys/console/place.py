"""Where somebody stands in the console: an organization, one workspace of it or all, and their roles there."""

import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.urls import reverse

from apikeys import permissions
from apikeys.console.rail import ROOMS, Room, room_of
from apikeys.models import Membership, Organization, User, Workspace, WorkspaceMembership

ALL = "all"
"""The scope in an address that means every workspace one may see."""
_KEPT_FILTERS = ("range", "from", "to", "model", "status", "group", "measure")
"""What survives a switch to another workspace: filters that mean the same there."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A link in the rail or in the switcher."""

    label: str
    address: str
    is_current: bool
    icon: str = ""


@dataclass
class Place:
    user: User
    memberships: list[Membership]
    """All of the person's, each with its organization; by name."""
    membership: Membership
    workspaces: list[Workspace]
    """Those of the organization that the person may see, without archived ones, the default first."""
    workspace: Workspace | None
    """None: all of them."""
    roles: dict[str, str]
    """The person's role in each of `workspaces`, by id."""
    room: Room = field(default=ROOMS[0])
    query: str = ""
    """The filters to keep when switching, as a query string with its `?`."""

    @classmethod
    def find(cls, user: User, organization_id: uuid.UUID, scope: str) -> Self | None:
        """None where there is nothing, or nothing that this person may know of."""
        memberships = list(Membership.objects.filter(user=user).select_related("organization"))
        memberships.sort(key=lambda one: one.organization.name.casefold())
        membership = next((one for one in memberships if one.organization_id == organization_id), None)
        if membership is None:
            return None
        roles = _roles(membership)
        workspaces = sorted(roles, key=lambda one: (not one.is_default, one.name.casefold()))
        workspace = next((one for one in workspaces if one.id == scope), None)
        if workspace is None and scope != ALL:
            return None
        roles_by_id = {one.id: role for one, role in roles.items()}
        return cls(user, memberships, membership, workspaces, workspace, roles_by_id)

    @property
    def organization(self) -> Organization:
        return self.membership.organization

    @property
    def scope(self) -> str:
        return self.workspace.id if self.workspace else ALL

    def may(self, right: str, workspace_id: str | None = None) -> bool:
        """Whether the person has `right` here: in the given workspace, else in that of the place, else anywhere."""
        asked = workspace_id or (self.workspace.id if self.workspace else None)
        if asked is not None:
            return permissions.may(self.roles.get(asked), right)
        return self.sees_all(right) or any(permissions.may(role, right) for role in self.roles.values())

    @property
    def may_usage(self) -> bool:
        return self.may("usage")

    @property
    def may_logs(self) -> bool:
        return self.may("logs")

    @property
    def may_keys(self) -> bool:
        return self.may("keys")

    def sees_all(self, right: str) -> bool:
        """Whether the right comes from the organization: it then holds for archived workspaces and admin keys too."""
        return permissions.may_everywhere(self.membership.role, right)

    def workspace_ids(self, right: str) -> list[str] | None:
        """Which workspaces a query may look at; None for no restriction within the organization."""
        if self.workspace is not None:
            return [self.workspace.id]
        if self.sees_all(right):
            return None
        return [id for id, role in self.roles.items() if permissions.may(role, right)]

    def workspaces_with(self, right: str) -> list[Workspace]:
        return [one for one in self.workspaces if permissions.may(self.roles[one.id], right)]

    def enter(self, request: HttpRequest) -> None:
        """Note which room this is, for the rail and for switching."""
        match = request.resolver_match
        self.room = room_of(match.url_name if match else None)
        kept = request.GET.copy()
        for name in [name for name in kept if name not in _KEPT_FILTERS]:
            del kept[name]
        self.query = f"?{kept.urlencode()}" if kept else ""

    @cached_property
    def rail(self) -> list[Choice]:
        return [
            Choice(room.label, reverse(room.name, args=self.address), room is self.room, room.icon)
            for room in ROOMS
            if self.may(room.right)
        ]

    @cached_property
    def workspace_choices(self) -> list[Choice]:
        everything = Choice("All workspaces", self._same_room(self.organization.id, ALL), self.workspace is None)
        return [everything] + [
            Choice(one.name, self._same_room(self.organization.id, one.id), one == self.workspace)
            for one in self.workspaces
        ]

    @cached_property
    def organization_choices(self) -> list[Choice]:
        return [
            Choice(one.organization.name, self._same_room(one.organization_id, ALL), one == self.membership)
            for one in self.memberships
        ]

    @property
    def address(self) -> tuple[uuid.UUID, str]:
        """The arguments of every address in this place."""
        return self.organization.id, self.scope

    def _same_room(self, organization_id: uuid.UUID, scope: str) -> str:
        return reverse(self.room.name, args=(organization_id, scope)) + self.query


def _roles(membership: Membership) -> dict[Workspace, str]:
    """The workspaces that the member may see, with their role in each."""
    given = WorkspaceMembership.objects.filter(workspace=OuterRef("pk"), user=membership.user_id).values("role")
    everything = Workspace.objects.filter(organization=membership.organization_id, archived_at=None)
    roles = {
        one: permissions.workspace_role(membership.role, one.given, is_default=one.is_default)
        for one in everything.annotate(given=Subquery(given))
    }
    return {one: role for one, role in roles.items() if role is not None}
