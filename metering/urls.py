"""The reports of the Admin API."""

from django.urls import path

from metering.api.cost_report import CostReport
from metering.api.usage_report import UsageReport

urlpatterns = [
    path("v1/organizations/usage_report/messages", UsageReport.as_view()),
    path("v1/organizations/cost_report", CostReport.as_view()),
]
