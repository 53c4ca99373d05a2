"""The room of the keys: the table, a new key with its one reveal, and what may be done with an old one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apikeys import actions
from apikeys.console import rights
from apikeys.console.frame import actor, base_url, room
from apikeys.console.key_form import KeyForm
from apikeys.console.place import Place
from apikeys.console.snippets import snippets
from apikeys.errors import ChangeRefused
from apikeys.models import ApiKey

PAGE = 100


@room("keys")
def table(request: HttpRequest, place: Place) -> HttpResponse:
    """API keys, newest first; for admins, over all workspaces, the organization's admin keys as well."""
    shows_archived = "archived" in request.GET
    search = request.GET.get("q", "").strip()
    keys = _visible(place).select_related("workspace", "created_by").order_by("-created_at", "-id")
    if not shows_archived:
        keys = keys.exclude(stored_status=ApiKey.Status.ARCHIVED)
    if search:
        keys = keys.filter(Q(name__icontains=search) | Q(id=search) | Q(hint__icontains=search))
    if before := request.GET.get("before"):
        keys = _older_than(keys, before)
    found = list(keys[: PAGE + 1])
    return render(
        request,
        "keys/table.html",
        {
            "keys": found[:PAGE],
            "older": found[PAGE - 1].id if len(found) > PAGE else None,
            "search": search,
            "shows_archived": shows_archived,
            "is_filtered": bool(search or before),
            "may_create": bool(place.workspaces_with("keys")),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@room("keys")
def new(request: HttpRequest, place: Place) -> HttpResponse:
    """The form, and after it the one answer that ever holds the secret."""
    workspaces = place.workspaces_with("keys")
    if place.workspace is not None:
        workspaces = [place.workspace]
    if not workspaces:
        raise PermissionDenied(rights.refusal("keys"))
    form = KeyForm(request.POST or None, workspaces=workspaces)
    if form.is_valid():
        try:
            key, secret = actions.create_key(
                organization=place.organization,
                workspace=form.chosen_workspace,
                name=form.cleaned_data["name"],
                expires_at=form.expires_at(timezone.now()),
                created_by=place.user,
                actor=actor(request),
            )
        except ChangeRefused as refused:
            form.add_error(None, refused.message)
        else:
            return _reveal(request, key, secret)
    return render(request, "keys/new.html", {"form": form}, status=422 if form.is_bound else 200)


@room("keys")
def one(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    return render(request, "keys/one.html", {"key": _find(place, key_id)})


@require_POST
@room("keys")
def rename(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    key = _find(place, key_id)
    try:
        actions.rename_key(key, request.POST.get("name", ""), actor=actor(request))
    except ChangeRefused as refused:
        messages.error(request, refused.message)
    return redirect("key", *place.address, key.id)


@require_POST
@room("keys")
def set_status(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    """Disable, enable, or archive for good."""
    key = _find(place, key_id)
    try:
        key = actions.set_key_status(key, request.POST.get("status", ""), actor=actor(request))
    except ChangeRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"“{key.name}” is {_SAID[key.stored_status]}.")
    if request.POST.get("back") == "table":
        return redirect("keys", *place.address)
    return redirect("key", *place.address, key.id)


_SAID = {
    "active": "active again",
    "inactive": "disabled: every request with it is refused from now on",
    "archived": "archived: it will never work again, and its history stays",
}


def _visible(place: Place) -> QuerySet[ApiKey]:
    """The keys that this person may see at this place."""
    ids = place.workspace_ids("keys")
    keys = ApiKey.objects.filter(organization=place.organization)
    if ids is not None:
        return keys.filter(workspace__in=ids)
    return keys if place.sees_all("admin_keys") else keys.exclude(kind=ApiKey.Kind.ADMIN)


def _find(place: Place, key_id: str) -> ApiKey:
    key = _visible(place).select_related("workspace", "created_by").filter(pk=key_id).first()
    if key is None:
        raise Http404
    return key


def _older_than(keys: QuerySet[ApiKey], key_id: str) -> QuerySet[ApiKey]:
    last = keys.order_by().filter(pk=key_id).values("created_at")[:1]
    return keys.filter(Q(created_at__lt=last) | Q(created_at=last, id__lt=key_id))


def _reveal(request: HttpRequest, key: ApiKey, secret: str) -> HttpResponse:
    shown = {"key": key, "secret": secret, "snippets": snippets(base_url(request), secret)}
    response = render(request, "keys/reveal.html", shown)
    response["cache-control"] = "no-store"
    return response
