"""Rollup rows for tests of what reads them, as the shipper writes them: both tables, summed per interval."""

from datetime import datetime, timedelta
from typing import Any

from apikeys.actions.keys import create_key
from apikeys.actions.organizations import create_organization
from apikeys.actions.workspaces import create_workspace
from apikeys.audit import Actor
from apikeys.models import ApiKey, Organization, Workspace
from metering.models import Rollup, UsageMinute, UsageQuarterHour
from metering.price_list import SHIPPED
from metering.pricing import PriceTable, price
from metering.reports import COUNTED, snapped

ACTOR = Actor.command_line()
_TABLE = PriceTable(SHIPPED)


class Team:
    """An organization with a workspace besides the default one, a key in each, and an admin key."""

    def __init__(self, name: str) -> None:
        self.organization: Organization = create_organization(name, actor=ACTOR)
        self.default: Workspace = self.organization.workspaces.get(is_default=True)
        self.workspace: Workspace = create_workspace(self.organization, "research", actor=ACTOR)
        self.key, self.secret = self._key("first", None)
        self.research_key, _ = self._key("second", self.workspace)
        self.admin_key, self.admin_secret = self._key("admin", None, kind=ApiKey.Kind.ADMIN)

    def use(
        self,
        at: datetime,
        usage: dict[str, Any],
        *,
        model: str = "claude-sonnet-5-5",
        key: ApiKey | None = None,
        outcome: str = "completed",
        is_simulated: bool = False,
        requests: int = 1,
    ) -> None:
        """One request's worth in both rollups."""
        key = key or self.key
        charge = price(usage, model=model, at_us=int(at.timestamp() * 1_000_000), table=_TABLE)
        dimensions = {
            "organization_id": self.organization.id,
            "workspace_id": key.workspace_id or "",
            "api_key_id": key.id,
            "model": model,
            "outcome": outcome,
            "is_simulated": is_simulated,
            **{name: getattr(charge, name) for name in ("service_tier", "context_window", "inference_geo", "speed")},
        }
        counts = {"requests": requests} | {name: getattr(charge, name) for name in COUNTED if name != "requests"}
        _add(UsageMinute, snapped(at, timedelta(minutes=1)), dimensions, counts)
        _add(UsageQuarterHour, snapped(at, timedelta(minutes=15)), dimensions, counts)

    def _key(self, name: str, workspace: Workspace | None, kind: str = "api") -> tuple[ApiKey, str]:
        return create_key(organization=self.organization, workspace=workspace, name=name, kind=kind, actor=ACTOR)


def _add(table: type[Rollup], started_at: datetime, dimensions: dict[str, Any], counts: dict[str, int]) -> None:
    row, is_new = table._default_manager.get_or_create(started_at=started_at, **dimensions, defaults=counts)
    if not is_new:
        for name, count in counts.items():
            setattr(row, name, getattr(row, name) + count)
        row.save()
