"""What the console's templates need besides Django's own."""

import hashlib
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince

register = template.Library()


@register.simple_tag
def asset(name: str) -> str:
    """The address of a static file, with a mark of its content: browsers may keep it until it changes."""
    return f"{static(name)}?v={_mark(name)}"


@cache
def _mark(name: str) -> str:
    path = finders.find(name)
    if path is None:
        raise template.TemplateSyntaxError(f"there is no static file {name}")
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


@register.inclusion_tag("parts/time.html")
def moment(at: object, missing: str = "never") -> dict[str, object]:
    """A time as people read it, with the exact instant behind it."""
    return {"at": at, "missing": missing}


@register.filter
def ago(at: object) -> str:
    """`3 hours`, `2 days`: the largest unit alone."""
    return timesince(at, timezone.now(), depth=1)  # type: ignore[arg-type]


@register.filter
def veil(text: str, secret: str) -> SafeString:
    """`text` with the secret in it wrapped, so that it can be covered until somebody asks to see it."""
    covered = format_html('<span class="secretly">{}</span>', secret)
    return mark_safe(escape(text).replace(escape(secret), covered))  # noqa: S308 - both parts are escaped
