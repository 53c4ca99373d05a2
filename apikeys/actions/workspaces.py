"""Making, changing and archiving workspaces, and who works in them."""

import re
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from apikeys import audit
from apikeys.actions.announcing import announce
from apikeys.actions.texts import clean_name
from apikeys.audit import Actor
from apikeys.errors import ChangeRefused, NotFound
from apikeys.models import (
    ApiKey,
    Membership,
    Organization,
    OrganizationRole,
    User,
    Workspace,
    WorkspaceMembership,
    WorkspaceRole,
)

MOST_WORKSPACES = 100
"""Of one organization, archived ones not counted."""

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


@transaction.atomic
def create_workspace(organization: Organization, name: str, *, actor: Actor) -> Workspace:
    """A new workspace. The name must be free among those not archived."""
    name = clean_name(name)
    locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if locked.archived_at is not None:
        raise ChangeRefused("The organization is archived.", code="organization_archived")
    _refuse_taken(locked, name)
    if locked.workspaces.filter(archived_at=None).count() >= MOST_WORKSPACES:
        raise ChangeRefused(f"An organization has at most {MOST_WORKSPACES} workspaces.", code="too_many_workspaces")
    workspace = Workspace.objects.create(organization=locked, name=name)
    _record(actor, "workspace_created", workspace, after={"name": name})
    return workspace


@transaction.atomic
def update_workspace(
    workspace: Workspace, *, name: str | None = None, display_color: str | None = None, actor: Actor
) -> Workspace:
    """Change what is given; None leaves it as it is. The default workspace keeps its name."""
    Organization.objects.select_for_update(no_key=True).get(
        pk=workspace.organization_id
    )  # names are checked under its lock
    locked = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    wanted = {"name": name and clean_name(name), "display_color": display_color}
    after = {field: value for field, value in wanted.items() if value is not None and value != getattr(locked, field)}
    if not after:
        return locked
    _refuse_fixed(locked, "rename" if "name" in after else None)
    if "name" in after:
        _refuse_taken(locked.organization, after["name"])
    if not _COLOR.fullmatch(after.get("display_color", locked.display_color)):
        raise ChangeRefused("A color is written as #6C5BB9.", code="bad_color")
    before = {field: getattr(locked, field) for field in after}
    for field, value in after.items():
        setattr(locked, field, value)
    locked.save(update_fields=list(after))
    _record(actor, "workspace_updated", locked, before=before, after=after)
    return locked


@transaction.atomic
def archive_workspace(workspace: Workspace, *, actor: Actor) -> Workspace:
    """For good: every key in it stops at once, its history stays. Again is no change."""
    locked = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    if locked.archived_at is not None:
        return locked
    _refuse_fixed(locked, "archive")
    locked.archived_at = timezone.now()
    locked.save(update_fields=["archived_at"])
    keys = ApiKey.objects.filter(workspace=locked).exclude(stored_status=ApiKey.Status.ARCHIVED)
    key_ids = list(keys.order_by("id").select_for_update(no_key=True).values_list("id", flat=True))
    keys.update(stored_status=ApiKey.Status.ARCHIVED)
    _record(
        actor,
        "workspace_archived",
        locked,
        before={"archived_at": None},
        after={"archived_at": locked.archived_at.isoformat(), "archived_api_key_ids": key_ids},
    )
    announce(locked.id)
    return locked


@transaction.atomic
def add_workspace_member(workspace: Workspace, user: User, role: str, *, actor: Actor) -> WorkspaceMembership:
    """Give a member of the organization a role here, or another one than before."""
    if role not in WorkspaceRole.values or role == WorkspaceRole.BILLING:
        raise ChangeRefused("That workspace role cannot be given.", code="bad_role")
    _refuse_fixed(workspace, "add members to")
    membership = Membership.objects.filter(organization=workspace.organization_id, user=user).first()
    if membership is None:
        raise NotFound
    if membership.role == OrganizationRole.ADMIN:
        raise ChangeRefused("Administrators are in every workspace already.", code="inherited_role")
    given, is_new = WorkspaceMembership.objects.select_for_update(no_key=True).get_or_create(
        workspace=workspace, user=user, defaults={"organization_id": workspace.organization_id, "role": role}
    )
    before = None if is_new else {"role": given.role}
    given.role = role
    given.save(update_fields=["role"])
    _record(
        actor,
        "workspace_member_added" if is_new else "workspace_member_updated",
        workspace,
        before=before,
        after={"user_id": user.id, "role": role},
    )
    return given


@transaction.atomic
def remove_workspace_member(workspace: Workspace, user: User, *, actor: Actor) -> None:
    """Take back a role given here; one that comes from the organization stays."""
    given = WorkspaceMembership.objects.select_for_update(no_key=True).filter(workspace=workspace, user=user).first()
    if given is None:
        raise NotFound
    before = {"user_id": user.id, "role": given.role}
    given.delete()
    _record(actor, "workspace_member_removed", workspace, before=before)


def _refuse_taken(organization: Organization, name: str) -> None:
    if organization.workspaces.filter(name=name, archived_at=None).exists():
        raise ChangeRefused(f"There is already a workspace named “{name}”.", code="name_taken")


def _refuse_fixed(workspace: Workspace, verb: str | None) -> None:
    if workspace.archived_at is not None:
        raise ChangeRefused("The workspace is archived.", code="workspace_archived")
    if workspace.is_default and verb is not None:
        raise ChangeRefused(f"Nobody can {verb} the default workspace.", code="default_workspace")


def _record(
    actor: Actor,
    action: str,
    workspace: Workspace,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        actor,
        action,
        organization=workspace.organization,
        object_type="workspace",
        object_id=workspace.id,
        before=before,
        after=after,
    )
