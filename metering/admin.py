"""The operator's view of prices and of how far the journals are shipped; that of tiers is with the limits."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apikeys import audit
from apikeys.operator_pages import ReadOnly, operator
from metering.display import per_million
from metering.limits import operator_pages
from metering.models import JournalFolder, Price

__all__ = ["JournalFolderPage", "PricePage", "operator_pages"]


@admin.register(Price)
class PricePage(ReadOnly):
    """Prices are added, with the moment they begin; what was charged before stays as it was."""

    list_display = ("model", "effective_from", "above_input_tokens", "usd_in", "usd_out", "usd_cache_read")
    list_filter = ("model",)
    search_fields = ("model",)
    ordering = ("model", "-effective_from", "above_input_tokens")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audit.record(
            operator(request),
            "price_added",
            organization=None,
            object_type="price",
            object_id=str(obj.pk),
            after={name: str(value) for name, value in form.cleaned_data.items()},
        )

    @admin.display(description="input, USD per million")
    def usd_in(self, price: Price) -> str:
        return per_million(price.input_picos)

    @admin.display(description="output, USD per million")
    def usd_out(self, price: Price) -> str:
        return per_million(price.output_picos)

    @admin.display(description="cache read, USD per million")
    def usd_cache_read(self, price: Price) -> str:
        return per_million(price.cache_read_picos)


@admin.register(JournalFolder)
class JournalFolderPage(ReadOnly):
    list_display = ("id", "shipped_segment", "shipped_offset", "is_closed", "created_at")
    list_filter = ("is_closed",)
