"""Issuing keys and changing them. A secret exists here for one moment: its caller shows it once."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apikeys import audit, keys
from apikeys.actions.announcing import announce
from apikeys.actions.texts import clean_name
from apikeys.audit import Actor
from apikeys.errors import ChangeRefused, NotFound
from apikeys.models import ApiKey, Organization, User, Workspace


@transaction.atomic
def create_key(
    *,
    organization: Organization,
    workspace: Workspace | None = None,
    name: str,
    kind: str = ApiKey.Kind.API,
    expires_at: datetime | None = None,
    created_by: User | None = None,
    actor: Actor,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can read again.

    An `api` key belongs to a workspace, without one given to the default; an `admin` key to the organization alone.
    """
    name = clean_name(name)
    if expires_at is not None and expires_at <= timezone.now():
        raise ChangeRefused("A key cannot expire in the past.", code="expiry_in_the_past")
    organization = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if organization.archived_at is not None:
        raise ChangeRefused("The organization is archived.", code="organization_archived")
    secret = keys.make_secret(kind)
    key = ApiKey.objects.create(
        organization=organization,
        workspace=_home(organization, workspace, kind),
        kind=kind,
        name=name,
        digest=keys.digest(secret, settings.KEY_PEPPER),
        hint=keys.hint(secret),
        expires_at=expires_at,
        created_by=created_by,
    )
    after = {
        "name": name,
        "kind": kind,
        "hint": key.hint,
        "workspace_id": key.workspace_id,
        "expires_at": expires_at and expires_at.isoformat(),
    }
    _record(actor, "api_key_created", key, after=after)
    return key, secret


@transaction.atomic
def set_key_status(key: ApiKey, status: str, *, actor: Actor) -> ApiKey:
    """`active`, `inactive`, or `archived` for good. An expired key can only be archived. Again is no change."""
    if status not in ApiKey.Status.values:
        raise ChangeRefused(f"“{status}” is no status of a key.", code="bad_status")
    locked = ApiKey.objects.select_for_update(no_key=True).get(pk=key.pk)
    if locked.status in {"archived", "expired"} and status != ApiKey.Status.ARCHIVED:
        raise ChangeRefused(f"The key is {locked.status}, which is for good.", code=f"key_{locked.status}")
    if locked.stored_status == status:
        return locked
    before = {"status": locked.stored_status}
    locked.stored_status = status
    locked.save(update_fields=["stored_status"])
    _record(actor, "api_key_updated", locked, before=before, after={"status": status})
    announce(locked.id)
    return locked


@transaction.atomic
def rename_key(key: ApiKey, name: str, *, actor: Actor) -> ApiKey:
    name = clean_name(name)
    locked = ApiKey.objects.select_for_update(no_key=True).get(pk=key.pk)
    if locked.name == name:
        return locked
    before = {"name": locked.name}
    locked.name = name
    locked.save(update_fields=["name"])
    _record(actor, "api_key_updated", locked, before=before, after={"name": name})
    return locked


def _home(organization: Organization, workspace: Workspace | None, kind: str) -> Workspace | None:
    """The workspace of a new key, locked against being archived meanwhile. A stranger's workspace does not exist."""
    if kind == ApiKey.Kind.ADMIN:
        if workspace is not None:
            raise ChangeRefused("An admin key belongs to no workspace.", code="admin_key_in_workspace")
        return None
    of_ours = organization.workspaces.select_for_update(no_key=True)
    home = of_ours.filter(is_default=True).first() if workspace is None else of_ours.filter(pk=workspace.pk).first()
    if home is None:
        raise NotFound
    if home.archived_at is not None:
        raise ChangeRefused("The workspace is archived.", code="workspace_archived")
    return home


def _record(
    actor: Actor,
    action: str,
    key: ApiKey,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object],
) -> None:
    audit.record(
        actor,
        action,
        organization=key.organization,
        object_type="api_key",
        object_id=key.id,
        before=before,
        after=after,
    )
