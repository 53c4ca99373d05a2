"""Who holds money, and how a lost process is written off."""

from uuid import UUID, uuid4

import pytest

from apikeys.audit import Actor
from apikeys.models import AuditEntry
from metering.limits import holders
from tests.metering.limits.centre import Holder, Tenant, call

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    made = Tenant()
    made.limit(100)
    return made


def die(holder: Holder) -> None:
    call("UPDATE limit_worker SET is_dead = true WHERE id = %s RETURNING 1", holder.id)


def test_what_each_holds(tenant: Tenant) -> None:
    first, second = Holder(tenant), Holder(tenant)
    first.ask(30)

    held = {str(each.id): (each.host, each.is_alive, each.held_picos) for each in holders.every()}

    assert held == {first.id: ("here", True, 30), second.id: ("here", True, 0)}


def test_a_lost_one_is_written_off_and_the_trail_says_so(tenant: Tenant) -> None:
    lost, other = Holder(tenant), Holder(tenant)
    lost.ask(30)
    other.ask(20)
    die(lost)

    assert holders.forget(UUID(lost.id), actor=Actor.command_line()) == 30

    assert tenant.purse() == (0, 20)
    entry = AuditEntry.objects.get(action="worker.forgotten")
    assert (entry.object_id, entry.before) == (lost.id, {"held_picos": "30"})
    lost.ship(10)
    assert tenant.purse() == (10, 20)


def test_one_that_lives_is_not_forgotten(tenant: Tenant) -> None:
    alive = Holder(tenant)

    with pytest.raises(holders.StillAlive):
        holders.forget(UUID(alive.id), actor=Actor.command_line())
    with pytest.raises(ValueError):
        holders.forget(uuid4(), actor=Actor.command_line())
