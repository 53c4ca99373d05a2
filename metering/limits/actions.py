"""Every change of a limit or a tier: checked, audited, announced, in one transaction. Who may ask is decided before."""

from collections.abc import Mapping
from dataclasses import dataclass

from apikeys import audit
from apikeys.audit import Actor
from apikeys.errors import ChangeRefused
from apikeys.models import ApiKey, Organization, Workspace
from metering import catalogue
from metering.limits import scopes, tiers
from metering.limits.effective import Change, changing, refresh
from metering.limits.tables import Mode, OwnLimit, Tier, TierChange, TierPin

MOST = 1_000_000_000
"""Requests, tokens or slots: beyond it a limit limits nothing, and its arithmetic would not fit a column."""
MOST_PICOS = 10**12 * 10**12

SPEND = ("spend:month", "spend:day")
COUNTED = (*scopes.KINDS, scopes.CONCURRENCY)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a limit is set on: an organization, one of its workspaces, or a key."""

    organization: Organization
    workspace: Workspace | None = None
    api_key: ApiKey | None = None

    @property
    def scope(self) -> str:
        if self.api_key is not None:
            return scopes.of_key(self.api_key.id)
        if self.workspace is not None:
            return scopes.of_workspace(self.workspace.id)
        return scopes.of_organization(str(self.organization.id))

    @property
    def name(self) -> str:
        return str(self.api_key or self.workspace or self.organization)


def set_limits(
    holder: Holder, values: Mapping[str, int | None], *, model_class: str = "", mode: str = "", actor: Actor
) -> Change:
    """Set limits by kind; None takes one away. Kinds that are not named stay as they are.

    Counts are requests, tokens or slots; the `spend:` kinds are pico-dollars. `mode` alone changes that of the
    spend limits that are there. No class: one bucket over all models.
    """
    _check(holder, values, mode)
    model_class = class_named(model_class)
    if model_class and (mode or any(kind not in scopes.KINDS for kind in values)):
        raise ChangeRefused("Only limits by the minute are set for one model class.", code="class_not_allowed")
    with changing(holder.organization.id) as change:
        before: dict[str, object] = {}
        after: dict[str, object] = {}
        for kind in {**_of_mode(holder, mode), **values}:
            was, now = _set(holder, model_class, kind, values, mode)
            if was != now:
                before[kind], after[kind] = was, now
        if after:
            refresh(holder.organization.id)
            _record(holder, model_class, before, after, actor)
    return change if after else Change()


def class_named(name: str) -> str:
    """A model class in any capitals, or the class of a model; empty stays empty, for all models."""
    if not name:
        return ""
    model = catalogue.find(name)
    found = model.rate_class if model else next((one for one in tiers.CLASSES if one.lower() == name.lower()), None)
    if found is None:
        raise ChangeRefused(
            f"There is no model class “{name}”; there are {', '.join(tiers.CLASSES)}.", code="unknown_model_class"
        )
    return found


def set_tier(
    organization: Organization,
    tier: str,
    *,
    leaves: str = "",
    reason: str = "set",
    is_pinned: bool | None = None,
    actor: Actor,
) -> Change:
    """Move an organization, and pin it there or let it go on by itself; None leaves that as it is.

    With `leaves`, only if it is still in that tier.
    """
    if not Tier.objects.filter(pk=tier).exists():
        names = ", ".join(Tier.objects.values_list("name", flat=True))
        raise ChangeRefused(f"There is no tier “{tier}”; there are {names}.", code="unknown_tier")
    with changing(organization.id) as change:
        locked = Organization.objects.get(pk=organization.pk)
        before = {"tier": locked.tier, "is_pinned": TierPin.objects.filter(pk=locked.pk).exists()}
        after = {"tier": tier, "is_pinned": before["is_pinned"] if is_pinned is None else is_pinned}
        if before == after or (leaves and locked.tier != leaves):
            return Change()
        if locked.tier != tier:
            TierChange.objects.create(organization_id=locked.id, before=locked.tier, after=tier, reason=reason)
            locked.tier = tier
            locked.save(update_fields=["tier"])  # a trigger works out the limits
        _pin(locked, is_pinned)
        audit.record(
            actor,
            "tier_changed",
            organization=locked,
            object_type="organization",
            object_id=str(locked.id),
            before=before,
            after={**after, "reason": reason},
        )
    return change


def _check(holder: Holder, values: Mapping[str, int | None], mode: str) -> None:
    if holder.workspace is not None and holder.workspace.is_default:
        raise ChangeRefused("The default workspace cannot carry limits.", code="default_workspace")
    if not values and not mode:
        raise ChangeRefused("Name at least one limit.", code="nothing_to_set")
    if mode and mode not in Mode.values:
        raise ChangeRefused(f"There is no mode “{mode}”; there are {', '.join(Mode.values)}.", code="unknown_mode")
    for kind, value in values.items():
        if kind not in COUNTED and kind not in SPEND:
            raise ChangeRefused(f"There is no limit “{kind}”.", code="unknown_limit")
        if value is not None and not 0 <= value <= (MOST_PICOS if kind in SPEND else MOST):
            raise ChangeRefused("A limit is a number from 0 to 1,000,000,000.", code="bad_limit")


def _of_mode(holder: Holder, mode: str) -> dict[str, None]:
    """The spend limits that a mode is for, whether they are named or not."""
    if not mode:
        return {}
    found = OwnLimit.objects.filter(scope=holder.scope, kind__in=SPEND).values_list("kind", flat=True)
    return dict.fromkeys(found)


def _set(
    holder: Holder, model_class: str, kind: str, values: Mapping[str, int | None], mode: str
) -> tuple[object, object]:
    """One limit; what it was and what it is, as the audit entry tells it."""
    limit = OwnLimit.objects.filter(scope=holder.scope, model_class=model_class, kind=kind).first()
    was = _told(limit)
    if kind in values and values[kind] is None:
        if limit is not None:
            limit.delete()
        return was, None
    limit = limit or OwnLimit(
        organization_id=holder.organization.id, scope=holder.scope, model_class=model_class, kind=kind
    )
    if kind in SPEND:
        limit.picos = values.get(kind, limit.picos)
        limit.mode = mode or limit.mode or Mode.BOUNDED
    else:
        limit.capacity = values[kind]
    limit.save()
    return was, _told(limit)


def _told(limit: OwnLimit | None) -> object:
    """Money as text: no number of JSON holds it."""
    if limit is None:
        return None
    return limit.capacity if limit.kind not in SPEND else {"picos": str(limit.picos), "mode": str(limit.mode)}


def _pin(organization: Organization, is_pinned: bool | None) -> None:
    if is_pinned:
        TierPin.objects.get_or_create(organization_id=organization.id)
    elif is_pinned is False:
        TierPin.objects.filter(organization_id=organization.id).delete()


def _record(
    holder: Holder, model_class: str, before: Mapping[str, object], after: Mapping[str, object], actor: Actor
) -> None:
    kind, _, object_id = holder.scope.partition(":")
    audit.record(
        actor,
        "limits_changed",
        organization=holder.organization,
        object_type={"org": "organization", "ws": "workspace", "key": "api_key"}[kind],
        object_id=object_id,
        before={"model_class": model_class, **before},
        after={"model_class": model_class, **after},
    )
