"""One-time links into the console. The token is in the link alone; the table holds its hash."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apikeys import audit
from apikeys.audit import Actor
from apikeys.errors import NotFound
from apikeys.models import SigninLink, User

LINK_LIFETIME = timedelta(hours=24)

_TOKEN_BYTES = 32


@transaction.atomic
def create_signin_link(user: User, *, actor: Actor | None = None) -> str:
    """A token that signs `user` in once, within 24 hours, at `/signin/<token>`. Only the command line makes them."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    expires_at = timezone.now() + LINK_LIFETIME
    SigninLink.objects.filter(expires_at__lte=timezone.now()).delete()
    SigninLink.objects.create(digest=_digest(token), user=user, expires_at=expires_at)
    _record(actor or Actor.command_line(), "signin_link_created", user, after={"expires_at": expires_at.isoformat()})
    return token


def find_signin_link(token: str) -> User:
    """The person whom this token would sign in; looking uses nothing up. `NotFound` as for redeeming."""
    link = SigninLink.objects.select_related("user").filter(digest=_digest(token), used_at=None).first()
    if link is None or link.expires_at <= timezone.now() or not link.user.is_active:
        raise NotFound
    return link.user


@transaction.atomic
def redeem_signin_link(token: str, *, address: str | None) -> User:
    """The person whom this token signs in, for the first and last time. Used, old and made-up ones
    are all `NotFound`."""
    link = SigninLink.objects.select_for_update(no_key=True).filter(digest=_digest(token), used_at=None).first()
    if link is None or link.expires_at <= timezone.now() or not link.user.is_active:
        raise NotFound
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    _record(Actor.user(link.user_id, address=address), "signin_link_used", link.user)
    return link.user


def _digest(token: str) -> bytes:
    """A plain hash is enough: 32 random bytes cannot be guessed from it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _record(actor: Actor, action: str, user: User, *, after: Mapping[str, object] | None = None) -> None:
    audit.record(actor, action, organization=None, object_type="user", object_id=user.id, after=after)
