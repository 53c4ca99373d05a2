from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("operator/", admin.site.urls),
]
