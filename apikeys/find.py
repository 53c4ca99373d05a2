"""Organizations, workspaces and keys by what people call them. Raises `NotFound`, with words for a person.

Whoever asks on behalf of a tenant names its organization: what belongs to another is not found.
"""

import uuid

from django.conf import settings

from apikeys import keys
from apikeys.errors import NotFound
from apikeys.models import ApiKey, Organization, User, Workspace


def organization(name_or_id: str) -> Organization:
    """By id, else by name."""
    try:
        by_id = Organization.objects.filter(pk=uuid.UUID(name_or_id)).first()
    except ValueError:
        by_id = None
    found = by_id or Organization.objects.filter(name=name_or_id.strip()).first()
    if found is None:
        raise NotFound(f"there is no organization “{name_or_id}”")
    return found


def workspace(organization: Organization, name_or_id: str) -> Workspace:
    """One of this organization, by id, else by name among those not archived."""
    of_ours = organization.workspaces.select_related("organization")
    found = of_ours.filter(pk=name_or_id).first() or of_ours.filter(name=name_or_id.strip(), archived_at=None).first()
    if found is None:
        raise NotFound(f"{organization.name} has no workspace “{name_or_id}”")
    return found


def api_key(id_or_secret: str, *, organization: Organization | None = None) -> ApiKey:
    """By id or by the secret itself; of one organization, or of any when the operator asks."""
    if id_or_secret.startswith("apikey_"):
        wanted = ApiKey.objects.filter(pk=id_or_secret)
        name = f"key {id_or_secret}"
    else:
        wanted = ApiKey.objects.filter(digest=keys.digest(id_or_secret, settings.KEY_PEPPER))
        name = "such key"  # a secret is never repeated
    if organization is not None:
        wanted = wanted.filter(organization=organization)
    found = wanted.select_related("organization", "workspace").first()
    if found is None:
        raise NotFound(f"there is no {name}")
    return found


def person(email: str) -> User:
    """By mail address, in whatever capitals."""
    found = User.objects.filter(email__iexact=email.strip()).first()
    if found is None:
        raise NotFound(f"nobody here has the address “{email}”")
    return found
