"""Who is asking: organizations, workspaces, people, keys, and the trail of every change."""

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from apikeys import ids


class OrganizationRole(models.TextChoices):
    """Claude's organization roles (Admin API reference, section 4)."""

    USER = "user"
    CLAUDE_CODE_USER = "claude_code_user"
    DEVELOPER = "developer"
    BILLING = "billing"
    ADMIN = "admin"


class WorkspaceRole(models.TextChoices):
    """Claude's workspace roles; `workspace_billing` is only ever inherited."""

    USER = "workspace_user"
    RESTRICTED_DEVELOPER = "workspace_restricted_developer"
    DEVELOPER = "workspace_developer"
    ADMIN = "workspace_admin"
    BILLING = "workspace_billing"


class Tier(models.TextChoices):
    """The usage tiers that an organization can be in; what each allows is metering's business."""

    EVALUATION = "evaluation"
    START = "start"
    BUILD = "build"
    SCALE = "scale"
    CUSTOM = "custom"
    TIER_1 = "tier_1"
    TIER_2 = "tier_2"
    TIER_3 = "tier_3"
    TIER_4 = "tier_4"


class Organization(models.Model):
    """A tenant. Ids are UUIDs, names unique in one installation because commands name organizations."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    tier = models.CharField(max_length=40, default="custom")
    created_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Workspace(models.Model):
    """A part of an organization with keys of its own. Each organization has exactly one default workspace.

    A name is free again once its workspace is archived.
    """

    id = models.CharField(max_length=40, primary_key=True, default=ids.workspace_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="workspaces")
    name = models.CharField(max_length=200)
    is_default = models.BooleanField(default=False)
    display_color = models.CharField(max_length=7, default="#6C5BB9")
    created_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "name"], condition=models.Q(archived_at=None), name="workspace_name_once"
            ),
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(is_default=True), name="one_default_workspace"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by mail address. `is_staff` marks an operator of the installation."""

    id = models.CharField(max_length=40, primary_key=True, default=ids.user_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_in_any_capitals")]

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    """A person's role in an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=40, choices=OrganizationRole.choices)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "user"], name="one_membership")]


class WorkspaceMembership(models.Model):
    """A role that a person was given in one workspace, on top of the one in the organization."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="workspace_memberships")
    role = models.CharField(max_length=40, choices=WorkspaceRole.choices)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "user"], name="one_workspace_membership")]


class ApiKey(models.Model):
    """An issued key. Only an HMAC of the secret is stored; `hint` shows its first and last characters."""

    class Kind(models.TextChoices):
        API = "api"
        ADMIN = "admin"

    class Status(models.TextChoices):
        ACTIVE = "active"
        INACTIVE = "inactive"
        ARCHIVED = "archived"

    id = models.CharField(max_length=40, primary_key=True, default=ids.api_key_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="api_keys")
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="api_keys", null=True, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.API)
    name = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    hint = models.CharField(max_length=60)
    stored_status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "created_at"], name="api_key_by_organization")]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})"

    @property
    def status(self) -> str:
        """`active`, `inactive`, `archived` or `expired`; expiry is never stored, so it needs no job to happen."""
        if self.stored_status == self.Status.ARCHIVED:
            return self.stored_status
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return self.stored_status


class AuditEntry(models.Model):
    """One change, written in the transaction that made it. Never updated, never deleted: a trigger refuses both."""

    id = models.CharField(max_length=40, primary_key=True, default=ids.audit_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="audit_entries")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    actor_type = models.CharField(max_length=40)
    actor_id = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"


class SigninLink(models.Model):
    """A one-time link into the console. Only a hash of its token is stored."""

    digest = models.BinaryField(max_length=32, primary_key=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Installation(models.Model):
    """One row: which secret key this database belongs to."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    secret_fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
