from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path

from apikeys.api import openapi
from apikeys.api.views import UnknownPath

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("operator/", admin.site.urls),
    path("", include("metering.urls")),
    path("", include("apikeys.console.urls")),
    path("", include("metering.console.urls")),
    path("docs/api", openapi.as_page, name="api_docs"),
    path("docs/api.json", openapi.as_json, name="api_document"),
    re_path(r"^v1/", UnknownPath.as_view()),
]

handler400 = "apikeys.console.error_pages.bad_request"
handler403 = "apikeys.console.error_pages.forbidden"
handler404 = "apikeys.console.error_pages.not_found"
handler500 = "apikeys.console.error_pages.failed"
handler429 = "apikeys.console.error_pages.too_many"  # asked for by allauth
