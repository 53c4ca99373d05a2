"""People and their roles in organizations."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from apikeys import audit
from apikeys.audit import Actor
from apikeys.errors import ChangeRefused, NotFound
from apikeys.models import Membership, Organization, OrganizationRole, User, WorkspaceMembership

OPERATOR_EMAIL = "operator@localhost"
"""The first person of an installation, until somebody enters a mail address of their own."""


@transaction.atomic
def ensure_user(email: str, *, name: str = "", actor: Actor) -> User:
    """The person with this address, made if there is none. Addresses differ in more than capitals."""
    email = _clean_email(email)
    try:
        return User.objects.get(email__iexact=email)
    except User.DoesNotExist:
        pass
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, name=name)
    except IntegrityError:  # somebody else was faster
        return User.objects.get(email__iexact=email)
    audit.record(
        actor, "user_created", organization=None, object_type="user", object_id=user.id, after={"email": user.email}
    )
    return user


@transaction.atomic
def ensure_operator(email: str = OPERATOR_EMAIL, *, actor: Actor) -> User:
    """The operator with this address: made, or raised to operator, if need be. Operators may do everything."""
    user = ensure_user(email, actor=actor)
    if user.is_staff and user.is_superuser:
        return user
    user.is_staff = user.is_superuser = True
    user.save(update_fields=["is_staff", "is_superuser"])
    audit.record(
        actor,
        "user_made_operator",
        organization=None,
        object_type="user",
        object_id=user.id,
        before={"is_operator": False},
        after={"is_operator": True},
    )
    return user


@transaction.atomic
def update_person(user: User, *, name: str, password: str | None = None, actor: Actor) -> User:
    """A person's own name, and a new password if one is given. The trail says that it changed, never to what."""
    if name == user.name and password is None:
        return user
    before = {"name": user.name}
    after = {"name": name} if password is None else {"name": name, "password": "changed"}
    user.name = name
    if password is not None:
        user.set_password(password)
    user.save(update_fields=["name", "password"])
    audit.record(
        actor, "user_updated", organization=None, object_type="user", object_id=user.id, before=before, after=after
    )
    return user


@transaction.atomic
def add_member(organization: Organization, user: User, role: str, *, actor: Actor) -> Membership:
    _check_role(role)
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    membership, is_new = Membership.objects.get_or_create(organization=organization, user=user, defaults={"role": role})
    if not is_new:
        raise ChangeRefused(f"{user.email} is a member already.", code="already_member")
    _record(actor, "member_added", membership, after={"role": role})
    return membership


@transaction.atomic
def change_role(organization: Organization, user: User, role: str, *, actor: Actor) -> Membership:
    """Another role in the organization; the last admin stays one. Roles given in workspaces stay."""
    _check_role(role)
    membership = _locked(organization, user)
    if membership.role == role:
        return membership
    _refuse_last_admin(membership)
    before = {"role": membership.role}
    membership.role = role
    membership.save(update_fields=["role"])
    _record(actor, "member_updated", membership, before=before, after={"role": role})
    return membership


@transaction.atomic
def remove_member(organization: Organization, user: User, *, actor: Actor) -> None:
    """Keys that the person made keep working: they belong to the organization and its workspaces."""
    membership = _locked(organization, user)
    _refuse_last_admin(membership)
    _record(actor, "member_removed", membership, before={"role": membership.role})
    WorkspaceMembership.objects.filter(organization=organization, user=user).delete()
    membership.delete()


def _locked(organization: Organization, user: User) -> Membership:
    """The membership, under the organization's lock: two last admins cannot demote each other."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    membership = Membership.objects.filter(organization=organization, user=user).first()
    if membership is None:
        raise NotFound
    return membership


def _refuse_last_admin(membership: Membership) -> None:
    if membership.role != OrganizationRole.ADMIN:
        return
    admins = Membership.objects.filter(organization=membership.organization_id, role=OrganizationRole.ADMIN)
    if not admins.exclude(pk=membership.pk).exists():
        raise ChangeRefused("An organization keeps at least one admin.", code="last_admin")


def _check_role(role: str) -> None:
    if role not in OrganizationRole.values:
        raise ChangeRefused(f"“{role}” is no role in an organization.", code="bad_role")


def _clean_email(email: str) -> str:
    email = email.strip()
    if email == OPERATOR_EMAIL:
        return email
    try:
        validate_email(email)
    except ValidationError:
        raise ChangeRefused(f"“{email}” is no mail address.", code="bad_email") from None
    return email


def _record(
    actor: Actor,
    action: str,
    membership: Membership,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        actor,
        action,
        organization=membership.organization,
        object_type="user",
        object_id=membership.user_id,
        before=before,
        after=after,
    )
