from django.contrib import admin
from django.urls import include, path, re_path

from apikeys.api.views import UnknownPath

urlpatterns = [
    path("operator/", admin.site.urls),
    path("", include("metering.urls")),
    re_path(r"^v1/", UnknownPath.as_view()),
]
