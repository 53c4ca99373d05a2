"""The operator's view of upstreams: added, switched on and off, given another credential, each through its action."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apikeys.errors import ChangeRefused
from apikeys.operator_pages import ReadOnly, operator
from relay import actions
from relay.models import Upstream


class UpstreamForm(forms.ModelForm):
    """The credential goes in and never comes out."""

    new_credential = forms.CharField(
        required=False,
        strip=True,
        widget=forms.PasswordInput({"autocomplete": "off"}),
        help_text="Stored encrypted, never shown again. Leave empty to keep what is there.",
    )

    class Meta:
        model = Upstream
        fields = ("kind", "name", "base_url", "is_enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "base_url" in self.fields:
            self.fields["base_url"].required = False
            self.fields["base_url"].help_text = "Empty: the usual address of its kind."


@admin.register(Upstream)
class UpstreamPage(ReadOnly):
    form = UpstreamForm
    list_display = ("name", "kind", "base_url", "has_credential", "priority", "is_enabled", "refused_at", "refusal")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("kind", "name", "base_url")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        always = ("kind", "name", "base_url", "new_credential")
        return always if obj is None else (*always, "is_enabled")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ChangeRefused as refused:
            self.message_user(request, refused.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Upstream, form: Any, change: bool) -> None:
        credential = form.cleaned_data.get("new_credential", "")
        if not change:
            made = actions.add_upstream(
                obj.kind, obj.name, base_url=obj.base_url, credential=credential, actor=operator(request)
            )
            obj.pk = made.pk
            return
        if "is_enabled" in form.changed_data:
            actions.set_enabled(obj.name, enabled=obj.is_enabled, actor=operator(request))
        if credential:
            actions.replace_credential(obj.name, credential, actor=operator(request))

    @admin.display(boolean=True, description="credential")
    def has_credential(self, upstream: Upstream) -> bool:
        return upstream.credential is not None
