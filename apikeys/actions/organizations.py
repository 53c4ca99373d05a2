"""Making and archiving organizations."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apikeys import audit
from apikeys.actions.announcing import announce
from apikeys.actions.texts import clean_name
from apikeys.audit import Actor
from apikeys.errors import ChangeRefused
from apikeys.models import Organization, Tier, Workspace

DEFAULT_WORKSPACE_NAME = "Default"


@transaction.atomic
def create_organization(name: str, *, tier: str | None = None, actor: Actor) -> Organization:
    """A new organization with its Default workspace. Without `tier` it starts in `TOLLGATE_DEFAULT_TIER`."""
    name = clean_name(name)
    tier = tier or settings.DEFAULT_TIER
    if tier not in Tier.values:
        raise ChangeRefused(f"There is no tier “{tier}”; there are {', '.join(Tier.values)}.", code="unknown_tier")
    organization, is_new = Organization.objects.get_or_create(name=name, defaults={"tier": tier})
    if not is_new:
        raise ChangeRefused(f"There is already an organization named “{name}”.", code="name_taken")
    default = Workspace.objects.create(organization=organization, name=DEFAULT_WORKSPACE_NAME, is_default=True)
    audit.record(
        actor,
        "organization_created",
        organization=organization,
        object_type="organization",
        object_id=str(organization.id),
        after={"name": name, "tier": tier, "default_workspace_id": default.id},
    )
    return organization


@transaction.atomic
def archive_organization(organization: Organization, *, actor: Actor) -> Organization:
    """Stop everything of this organization at once; its history stays. Again is no change."""
    locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if locked.archived_at is not None:
        return locked
    locked.archived_at = timezone.now()
    locked.save(update_fields=["archived_at"])
    audit.record(
        actor,
        "organization_archived",
        organization=locked,
        object_type="organization",
        object_id=str(locked.id),
        before={"archived_at": None},
        after={"archived_at": locked.archived_at.isoformat()},
    )
    announce(str(locked.id))
    return locked
