"""The trail of changes: who did what to which thing, written in the transaction of the change itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from apikeys.models import AuditEntry, Organization


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change. `type` as in Claude's audit feed, or `operator_actor` for the installation's command line."""

    type: str
    id: str
    address: str | None = None
    request_id: str = ""

    @classmethod
    def command_line(cls) -> "Actor":
        return cls("operator_actor", "command-line")

    @classmethod
    def user(cls, user_id: str, *, address: str | None, request_id: str = "") -> "Actor":
        return cls("user_actor", user_id, address, request_id)

    @classmethod
    def admin_key(cls, api_key_id: str, *, address: str | None, request_id: str) -> "Actor":
        return cls("admin_api_key_actor", api_key_id, address, request_id)


def record(
    actor: Actor,
    action: str,
    *,
    organization: Organization | None,
    object_type: str,
    object_id: str,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Add one entry. Refuses to run outside a transaction: a change and its entry are there together or not at all."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an audit entry belongs into the transaction of its change")
    return AuditEntry.objects.create(
        organization=organization,
        actor_type=actor.type,
        actor_id=actor.id,
        action=action,
        object_type=object_type,
        object_id=object_id,
        before=before,
        after=after,
        address=actor.address,
        request_id=actor.request_id,
    )
