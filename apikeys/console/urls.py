"""Addresses of the console outside of metering: coming in, colours, keys."""

from allauth.account import views as account
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from apikeys.console import entry, keys, signing_in

_SCOPE = "c/<uuid:organization_id>/<str:scope>"

urlpatterns = [
    path("", entry.door, name="console"),
    path("favicon.ico", RedirectView.as_view(url=static("console/icon.svg"))),
    path("theme", entry.theme, name="theme"),
    path("signin/<str:token>", signing_in.by_link, name="signin_link"),
    path("account/login/", signing_in.SignIn.as_view(), name="account_login"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/inactive/", account.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("account/profile/", signing_in.profile, name="account_profile"),
    path("account/second-factor/", include("allauth.mfa.urls")),
    path("keys", entry.door, {"room": "keys"}),
    path("settings/keys", entry.door, {"room": "keys"}),
    path(f"{_SCOPE}/keys", keys.table, name="keys"),
    path(f"{_SCOPE}/keys/new", keys.new, name="key_new"),
    path(f"{_SCOPE}/keys/<str:key_id>", keys.one, name="key"),
    path(f"{_SCOPE}/keys/<str:key_id>/name", keys.rename, name="key_rename"),
    path(f"{_SCOPE}/keys/<str:key_id>/status", keys.set_status, name="key_status"),
]
