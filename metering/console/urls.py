"""Addresses of the rooms that show figures, requests and limits."""

from django.urls import path

from apikeys.console import entry
from metering.console import home, limits, logs, usage

_SCOPE = "c/<uuid:organization_id>/<str:scope>"

urlpatterns = [
    path("dashboard", entry.door),
    path("usage", entry.door, {"room": "usage"}),
    path("logs", entry.door, {"room": "logs"}),
    path("limits", entry.door, {"room": "limits"}),
    path("settings/limits", entry.door, {"room": "limits"}),
    path(f"{_SCOPE}/", home.page, name="home"),
    path(f"{_SCOPE}/usage", usage.page, name="usage"),
    path(f"{_SCOPE}/usage.csv", usage.file, name="usage_csv"),
    path(f"{_SCOPE}/limits", limits.page, name="limits"),
    path(f"{_SCOPE}/logs", logs.table, name="logs"),
    path(f"{_SCOPE}/logs/<str:request_id>", logs.one, name="log"),
]
