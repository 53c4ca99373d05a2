"""Figures in templates, and what keys have spent: tables of keys show it without knowing where it comes from."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils import timezone

from apikeys.models import ApiKey, Organization
from metering import display, money, reports

register = template.Library()


@register.filter
def usd(picos: Any, places: int = 2) -> str:
    return display.usd(int(picos or 0), places=places)


@register.filter
def exact_usd(picos: Any) -> str:
    return money.usd(int(picos or 0))


@register.filter
def per_million(picos_each: Any) -> str:
    return display.per_million(picos_each)


@register.filter
def tokens(number: Any) -> str:
    return display.grouped(int(number or 0))


@register.filter
def short(number: Any) -> str:
    return display.short(int(number or 0))


@register.filter
def duration(microseconds: int | None) -> str:
    return display.duration(microseconds)


@register.filter
def of(table: Mapping[str, Any], key: str) -> Any:
    """What a mapping holds under a key that only the template knows."""
    return table.get(key)


@register.simple_tag
def month_spend_by_key(organization: Organization, keys: ApiKey | Iterable[ApiKey]) -> dict[str, int]:
    """What these keys have cost in this calendar month (UTC), in pico-dollars by key id; one query for all."""
    ids = [keys.id] if isinstance(keys, ApiKey) else [key.id for key in keys]
    if not ids:
        return {}
    start = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    selection = reports.Selection(organization_id=organization.id, start=start, where={"api_key_id": ids})
    return {line.group["api_key_id"]: line.cost_picos for line in reports.sums(selection, "api_key_id")}
