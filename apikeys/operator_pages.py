"""How the operator's pages (Django's admin) behave here: staff look at everything, and change only what is audited."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apikeys.audit import Actor


class ReadOnly(admin.ModelAdmin):
    """Look, search, filter. Changes are made in the console, by the command line or by the Admin API, all audited."""

    list_per_page = 50
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def operator(request: HttpRequest) -> Actor:
    """Who to write into the audit trail for what is done on these pages."""
    return Actor.user(
        str(request.user.pk),
        address=request.META["REMOTE_ADDR"] or None,
        request_id=request.request_id,  # type: ignore[attr-defined]
    )
