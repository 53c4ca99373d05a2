"""Changes to upstreams: checked, audited, and announced to every worker, in one transaction each."""

from urllib.parse import urlsplit

import httpx
from django.db import connection, transaction
from django.db.models import Max

from apikeys import audit, channels
from apikeys.audit import Actor
from apikeys.errors import ChangeRefused, NotFound
from relay import credentials
from relay.models import Upstream
from relay.upstreams.registry import KINDS


@transaction.atomic
def add_upstream(
    kind: str,
    name: str,
    *,
    base_url: str = "",
    credential: str = "",
    model_patterns: list[str] | None = None,
    actor: Actor,
) -> Upstream:
    """A new upstream, the first choice for the models it serves. What is left out comes from its kind.

    Raises `ChangeRefused` for a name that is taken or an address that is none.
    """
    address = base_url or KINDS[kind].default_base_url
    _check_address(address)
    if Upstream.objects.filter(name=name).exists():
        raise ChangeRefused(f"there is an upstream named {name} already", code="upstream_exists")
    highest = Upstream.objects.aggregate(highest=Max("priority"))["highest"]
    upstream = Upstream.objects.create(
        kind=kind,
        name=name,
        base_url=address.rstrip("/"),
        credential=credentials.encrypt(credential) if credential else None,
        model_patterns=model_patterns or KINDS[kind].default_patterns,
        priority=0 if highest is None else highest + 1,
    )
    _record(actor, "upstream.created", upstream, before=None, after=_described(upstream))
    return upstream


@transaction.atomic
def set_enabled(name: str, *, enabled: bool, actor: Actor) -> Upstream:
    """Put an upstream into use or out of it. Raises `NotFound`."""
    upstream = find(name)
    before = _described(upstream)
    upstream.is_enabled = enabled
    upstream.save(update_fields=["is_enabled"])
    _record(actor, "upstream.enabled" if enabled else "upstream.disabled", upstream, before, _described(upstream))
    return upstream


@transaction.atomic
def replace_credential(name: str, credential: str, *, actor: Actor) -> Upstream:
    """Another credential for an upstream; what the old one was refused for is forgotten. Raises `NotFound`."""
    upstream = find(name)
    before = _described(upstream)
    upstream.credential = credentials.encrypt(credential)
    upstream.refused_at, upstream.refusal = None, ""
    upstream.save(update_fields=["credential", "refused_at", "refusal"])
    _record(actor, "upstream.credential_replaced", upstream, before, _described(upstream))
    return upstream


def find(name: str) -> Upstream:
    """Raises `NotFound`."""
    try:
        return Upstream.objects.get(name=name)
    except Upstream.DoesNotExist:
        raise NotFound(f"no upstream is named {name}") from None


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        is_base = parts.scheme in {"http", "https"} and parts.port != 0 and httpx.URL(address).host
    except (ValueError, httpx.InvalidURL):
        is_base = False
    if not is_base or parts.query or parts.fragment or parts.username is not None:
        raise ChangeRefused(f"not a base URL: {address}", code="base_url_invalid")
    if parts.path.rstrip("/").endswith("/v1"):
        raise ChangeRefused("the base URL ends before /v1", code="base_url_invalid")


def _described(upstream: Upstream) -> dict[str, object]:
    """What the audit trail shows: everything but the credential, of which only that there is one."""
    return {
        "kind": upstream.kind,
        "name": upstream.name,
        "base_url": upstream.base_url,
        "has_credential": upstream.credential is not None,
        "model_patterns": upstream.model_patterns,
        "priority": upstream.priority,
        "is_enabled": upstream.is_enabled,
    }


def _record(
    actor: Actor,
    action: str,
    upstream: Upstream,
    before: dict[str, object] | None,
    after: dict[str, object],
) -> None:
    audit.record(
        actor,
        action,
        organization=None,
        object_type="upstream",
        object_id=str(upstream.pk),
        before=before,
        after=after,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [channels.UPSTREAMS])
