"""Whose call this is. Asks the database each time: this path is not the hot one, and a revoked key stops at once."""

import time
from datetime import timedelta
from typing import Never

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apikeys import keys
from apikeys.api.errors import Refused
from apikeys.bad_keys import BadKeys
from apikeys.caller import Caller
from apikeys.models import ApiKey

_bad_keys = BadKeys()


class KeyAuthentication(BaseAuthentication):
    """A key of either kind, in `x-api-key`, `api-key` or as bearer: `request.auth` becomes its `Caller`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller]:
        secret, is_bearer = _secret(request)
        key = _good_key(secret)
        if key is None:
            _refuse_bad_key(request, is_bearer=is_bearer)
        _note_use(key)
        return AnonymousUser(), Caller(
            organization_id=str(key.organization_id),
            workspace_id=key.workspace_id,
            is_default_workspace=key.workspace is not None and key.workspace.is_default,
            api_key_id=key.id,
            kind=key.kind,
            expires_at=key.expires_at.timestamp() if key.expires_at else None,
        )

    def authenticate_header(self, request: Request) -> str:
        """Without one, DRF would turn 401 into 403."""
        return "Bearer"


class HasAdminKey(BasePermission):
    """A key that only calls models is known, and may not enter."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller = request.auth
        if isinstance(caller, Caller) and caller.kind == ApiKey.Kind.ADMIN:
            return True
        raise Refused(403, "This endpoint requires an Admin API key")


def _secret(request: Request) -> tuple[str, bool]:
    """The key, and whether it came as a bearer token. Several places are fine while they agree."""
    found = [request.headers[name] for name in ("x-api-key", "api-key") if request.headers.get(name)]
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer" and bool(token.strip())
    if is_bearer:
        found.append(token.strip())
    if not found:
        raise Refused(401, "x-api-key header is required")
    if len(set(found)) > 1:
        raise Refused(401, "invalid x-api-key: the request carries two different keys")
    return found[0], is_bearer


def _good_key(secret: str) -> ApiKey | None:
    """The key of a secret, if it may be used now."""
    if not keys.looks_valid(secret):
        return None
    key = (
        ApiKey.objects.select_related("workspace")
        .filter(
            Q(workspace=None) | Q(workspace__archived_at=None),
            digest=keys.digest(secret, settings.KEY_PEPPER),
            organization__archived_at=None,
        )
        .first()
    )
    return key if key is not None and key.status == ApiKey.Status.ACTIVE else None


def _refuse_bad_key(request: Request, *, is_bearer: bool) -> Never:
    address, now = request.META.get("REMOTE_ADDR", ""), time.monotonic()
    wait_seconds = _bad_keys.retry_after_seconds(address, now)
    if wait_seconds:
        message = "Too many requests with invalid API keys from this address"
        raise Refused(429, message, retry_after=wait_seconds)
    _bad_keys.count(address, now)
    raise Refused(401, "Invalid bearer token" if is_bearer else "invalid x-api-key")


def _note_use(key: ApiKey) -> None:
    """To the minute, like the uses of every other key."""
    minute = timezone.now().replace(second=0, microsecond=0)
    if key.last_used_at is None or minute - key.last_used_at >= timedelta(minutes=1):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=minute)
