"""Coming in: by a one-time link, or by password; and the person's own name and password."""

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.views import LoginView
from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apikeys import actions
from apikeys.console import error_pages, frame
from apikeys.console.attempts import wait_seconds
from apikeys.console.profile_form import ProfileForm
from apikeys.errors import NotFound
from apikeys.models import User


class SignIn(LoginView):
    """allauth's form, behind our counts of attempts."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        wait = wait_seconds(request, "signin", email=request.POST.get("login", ""))
        if wait:
            return error_pages.too_many(request, wait_seconds=wait)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Looking at the link uses nothing up (mail scanners look at every link); its button signs in, once."""
    wait = wait_seconds(request, "signin-link")
    if wait:
        return error_pages.too_many(request, wait_seconds=wait)
    try:
        if request.method != "POST":
            return render(request, "account/signin_link.html", {"person": actions.find_signin_link(token)})
        person = actions.redeem_signin_link(token, address=request.META["REMOTE_ADDR"] or None)
    except NotFound:
        return render(request, "account/signin_link_dead.html", status=404)
    record_authentication(request, person, "link")
    login = Login(user=person, redirect_url=_first_page(person))
    response: HttpResponse = perform_login(request, login)
    return response


@never_cache
@login_required
@sensitive_post_parameters("password", "password_again", "current_password")
def profile(request: HttpRequest) -> HttpResponse:
    """Name and password. Who has just come in by a link need not know the old password."""
    person = request.user
    assert isinstance(person, User)  # noqa: S101
    is_first = "first" in request.GET or "first" in request.POST
    asks_current = person.has_usable_password() and not _came_by_link(request)
    form = ProfileForm(request.POST or None, person=person, asks_current=asks_current)
    if request.method == "POST":
        wait = wait_seconds(request, "profile", email=person.email) if asks_current else 0
        if wait:
            return error_pages.too_many(request, wait_seconds=wait)
        if form.is_valid():
            return _save_profile(request, person, form, is_first=is_first)
    status = 422 if form.is_bound else 200
    return render(request, "account/profile.html", {"form": form, "is_first": is_first}, status=status)


def _save_profile(request: HttpRequest, person: User, form: forms.Form, *, is_first: bool) -> HttpResponse:
    actions.update_person(
        person,
        name=form.cleaned_data["name"],
        password=form.cleaned_data["password"] or None,
        actor=frame.actor(request),
    )
    if form.cleaned_data["password"]:
        update_session_auth_hash(request, person)
    if is_first:
        return redirect("console")
    messages.success(request, "Saved.")
    return redirect("account_profile")


def _first_page(person: User) -> str:
    if person.has_usable_password():
        return reverse("console")
    return reverse("account_profile") + "?first"


def _came_by_link(request: HttpRequest) -> bool:
    """Whether this session began with a one-time link, which proves as much as a password."""
    records = request.session.get("account_authentication_methods", [])
    return any(record.get("method") == "link" for record in records)
