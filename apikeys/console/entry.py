"""The doors of the console: the short addresses that lead to a room, and the choice of colours."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from apikeys.console import frame

_A_YEAR = 365 * 24 * 3600


@login_required
def door(request: HttpRequest, room: str = "home") -> HttpResponse:
    """To a room of the organization and workspace that the person was in last, else of the first they may see."""
    scope = frame.latest_scope(request)
    if scope is None:
        return render(request, "account/no_organization.html")
    target = redirect(room, *scope)
    if query := request.META.get("QUERY_STRING"):
        target["Location"] += f"?{query}"
    return target


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the system has it; kept in a cookie, so that no page flashes in the wrong colours."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    chosen = request.POST.get("theme", "")
    if chosen in frame.THEMES:
        response.set_cookie(frame.THEME_COOKIE, chosen, max_age=_A_YEAR, samesite="Lax", httponly=True)
    else:
        response.delete_cookie(frame.THEME_COOKIE, samesite="Lax")
    return response
