"""The operator's view of who is asking: everything to look at, nothing to change past the audit trail."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group

from apikeys.models import ApiKey, AuditEntry, Membership, Organization, User, Workspace, WorkspaceMembership
from apikeys.operator_pages import ReadOnly

admin.site.site_header = admin.site.site_title = "Tollgate, for its operator"
admin.site.index_title = "This installation"
admin.site.site_url = "/"
for unaudited in (EmailAddress, Authenticator, Group):
    if admin.site.is_registered(unaudited):
        admin.site.unregister(unaudited)


@admin.register(Organization)
class OrganizationPage(ReadOnly):
    list_display = ("name", "id", "tier", "created_at", "archived_at")
    list_filter = ("tier",)
    search_fields = ("name", "id")


@admin.register(Workspace)
class WorkspacePage(ReadOnly):
    list_display = ("name", "organization", "id", "is_default", "created_at", "archived_at")
    list_select_related = ("organization",)
    search_fields = ("name", "id", "organization__name")


@admin.register(User)
class UserPage(ReadOnly):
    list_display = ("email", "name", "is_staff", "is_active", "last_login", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name", "id")
    exclude = ("password", "groups", "user_permissions")


@admin.register(Membership)
class MembershipPage(ReadOnly):
    list_display = ("user", "organization", "role", "added_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "organization__name")


@admin.register(WorkspaceMembership)
class WorkspaceMembershipPage(ReadOnly):
    list_display = ("user", "workspace", "organization", "role", "added_at")
    list_filter = ("role",)
    list_select_related = ("user", "workspace", "organization")
    search_fields = ("user__email", "workspace__name", "organization__name")


@admin.register(ApiKey)
class ApiKeyPage(ReadOnly):
    list_display = ("name", "hint", "kind", "organization", "workspace", "status", "expires_at", "last_used_at")
    list_filter = ("kind", "stored_status")
    list_select_related = ("organization", "workspace")
    search_fields = ("name", "id", "hint", "organization__name")


@admin.register(AuditEntry)
class AuditPage(ReadOnly):
    list_display = ("created_at", "actor_type", "actor_id", "action", "object_type", "object_id", "organization")
    list_filter = ("action", "actor_type")
    list_select_related = ("organization",)
    search_fields = ("actor_id", "object_id", "request_id")
    ordering = ("-created_at",)
