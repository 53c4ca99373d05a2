"""The frame of every room: which organization and workspace the address names, and what the person may do there.

A room's address is `/c/<organization id>/<workspace id or "all">/...`. Whoever may not see that place gets the same
404 as for one that never existed; whoever sees it but lacks the right gets a 403 that says so.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from apikeys.audit import Actor
from apikeys.console import rights
from apikeys.console.place import ALL, Place
from apikeys.models import Membership, User

STATEMENT_TIMEOUT_MS = 5_000
THEME_COOKIE = "tollgate-theme"
THEMES = ("light", "dark")
_LATEST = "console-latest-scope"

P = ParamSpec("P")


def room(
    right: str,
) -> Callable[[Callable[Concatenate[HttpRequest, Place, P], HttpResponse]], Callable[..., HttpResponse]]:
    """A view inside the frame, for people with `right`; it is called with (request, place, ...).

    A page that only reads sees one moment of the database, so that its figures agree with each other. No query of it
    may take longer than `STATEMENT_TIMEOUT_MS`.
    """

    def decorate(view: Callable[Concatenate[HttpRequest, Place, P], HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @login_required
        def entered(
            request: HttpRequest, organization_id: uuid.UUID, scope: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            with _console_transaction(reads_only=request.method in {"GET", "HEAD"}):
                place = _enter(request, organization_id, scope, right)
                response = view(request, place, *args, **kwargs)
            if "cache-control" not in response:
                patch_cache_control(response, private=True, no_cache=True)
            return response

        return entered

    return decorate


def actor(request: HttpRequest) -> Actor:
    """Who to write into the audit trail."""
    assert isinstance(request.user, User)  # noqa: S101
    return Actor.user(
        request.user.id,
        address=request.META["REMOTE_ADDR"] or None,
        request_id=request.request_id,  # type: ignore[attr-defined]
    )


def base_url(request: HttpRequest) -> str:
    """What people give their SDKs: the public address, else the one this page was asked at."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"


def context(request: HttpRequest) -> dict[str, Any]:
    """For all templates: where we are, if anywhere, and the chosen colours."""
    chosen = request.COOKIES.get(THEME_COOKIE)
    return {"place": getattr(request, "place", None), "theme": chosen if chosen in THEMES else ""}


def latest_scope(request: HttpRequest) -> tuple[str, str] | None:
    """(organization id, scope) where the person was last, else their first organization; None without any."""
    assert isinstance(request.user, User)  # noqa: S101
    mine = Membership.objects.filter(user=request.user, organization__archived_at=None).order_by("organization__name")
    ids = [str(id) for id in mine.values_list("organization_id", flat=True)]
    latest = request.session.get(_LATEST)
    if latest and latest[0] in ids:
        return latest[0], latest[1]
    return (ids[0], ALL) if ids else None


def _enter(request: HttpRequest, organization_id: uuid.UUID, scope: str, right: str) -> Place:
    assert isinstance(request.user, User)  # noqa: S101
    place = Place.find(request.user, organization_id, scope)
    if place is None:
        raise Http404
    place.enter(request)
    request.place = place  # type: ignore[attr-defined]
    here = [str(organization_id), scope]
    if request.session.get(_LATEST) != here:
        request.session[_LATEST] = here
    if not place.may(right):
        raise PermissionDenied(rights.refusal(right))
    return place


@contextmanager
def _console_transaction(*, reads_only: bool) -> Iterator[None]:
    """A transaction with the time limit of console pages; for reading alone also with one snapshot."""
    limits = f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"
    if reads_only and not connection.in_atomic_block:
        limits = f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; {limits}"
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(limits)
        yield
