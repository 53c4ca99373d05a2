"""What the console's frame says about where requests go."""

from collections.abc import Callable

from django.http import HttpRequest

from relay.models import Upstream


def banner(request: HttpRequest) -> dict[str, Callable[[], bool]]:
    """Context for templates: `is_simulated` is a function, so that pages without the banner ask nothing."""
    return {"is_simulated": is_simulated}


def is_simulated() -> bool:
    """Whether every answer comes from the built-in simulator: no other enabled upstream exists."""
    return not Upstream.objects.filter(is_enabled=True).exclude(kind=Upstream.Kind.SIMULATOR).exists()
