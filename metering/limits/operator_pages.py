"""The operator's pages of tiers: their numbers and the rules by which organizations advance can be edited here."""

from typing import Any

from django.contrib import admin
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from apikeys import audit
from apikeys.operator_pages import ReadOnly, operator
from metering.limits.effective import refresh_tier
from metering.limits.tables import AdvanceRule, CreditPurchase, Tier, TierChange, TierLimit


def _may_edit(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


class Numbers(admin.TabularInline):
    model = TierLimit
    fields = ("model_class", "kind", "capacity")
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_edit(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_edit(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_edit(request)


@admin.register(Tier)
class TierPage(ReadOnly):
    """A change holds at once for every organization of the tier."""

    list_display = ("label", "name", "family", "rank", "monthly_picos")
    inlines = (Numbers,)
    readonly_fields = ("name", "family", "rank")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_edit(request)

    def save_related(
        self, request: HttpRequest, form: "ModelForm[Tier]", formsets: "list[BaseModelFormSet[Any, Any]]", change: bool
    ) -> None:
        tier = form.instance
        before = _numbers(tier)
        super().save_related(request, form, formsets, change)
        refresh_tier(tier.name)
        after = {**_numbers(tier), "monthly_picos": str(tier.monthly_picos)}
        before = {**before, "monthly_picos": str(form.initial.get("monthly_picos"))}
        changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        audit.record(
            operator(request),
            "tier_edited",
            organization=None,
            object_type="tier",
            object_id=tier.name,
            before={name: before.get(name) for name in changed},
            after={name: after.get(name) for name in changed},
        )


def _numbers(tier: Tier) -> dict[str, object]:
    limits = TierLimit.objects.filter(tier=tier)
    return {f"{one.model_class} {one.kind}".strip(): one.capacity for one in limits}


@admin.register(AdvanceRule)
class AdvanceRulePage(ReadOnly):
    list_display = ("leaves", "enters", "spent_picos", "age_days", "bought_picos", "is_enabled")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may_edit(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_edit(request)

    def save_model(self, request: HttpRequest, obj: AdvanceRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audit.record(
            operator(request),
            "tier_rule_edited" if change else "tier_rule_added",
            organization=None,
            object_type="tier",
            object_id=obj.leaves_id,
            before={name: str(form.initial.get(name)) for name in form.changed_data},
            after={name: str(form.cleaned_data.get(name)) for name in form.changed_data},
        )


@admin.register(TierChange)
class TierChangePage(ReadOnly):
    list_display = ("organization_id", "before", "after", "reason", "changed_at")
    ordering = ("-id",)


@admin.register(CreditPurchase)
class CreditPurchasePage(ReadOnly):
    list_display = ("organization_id", "picos", "note", "bought_at")
    ordering = ("-id",)
