"""Limits and tiers are set by actions: checked, audited, and worked out in the same transaction."""

import threading
import time
from uuid import uuid4

import pytest
from django.db import connection

from apikeys import actions as keys
from apikeys.actions import Actor
from apikeys.errors import ChangeRefused
from apikeys.models import AuditEntry, Organization
from metering.limits.actions import Holder, class_named, set_limits, set_tier
from metering.limits.effective import wait_until_known
from metering.limits.tables import EffectiveLimit, LimitVersion, TierChange, TierPin

ME = Actor.command_line()


@pytest.fixture
def organization(db: None) -> Organization:
    return keys.create_organization("Acme", tier="start", actor=ME)


def numbers(organization: Organization, scope: str = "") -> dict[tuple[str, str], int]:
    found = EffectiveLimit.objects.filter(organization_id=organization.id, scope=scope or f"org:{organization.id}")
    return {(one.model_class, one.kind): one.capacity for one in found if one.capacity is not None}


def version(organization: Organization) -> int:
    return LimitVersion.objects.get(pk=organization.id).version


def test_an_organization_has_its_tier_s_numbers_from_the_first_moment(organization: Organization) -> None:
    held = numbers(organization)

    assert held["Opus 5", "input_tokens"] == 2_000_000
    assert held["Haiku 3", "requests"] == 1_000
    cap = EffectiveLimit.objects.get(organization_id=organization.id, kind="spend:tier")
    assert (int(cap.picos or 0), cap.mode) == (500 * 10**12, "bounded")


def test_a_custom_one_has_none(db: None) -> None:
    made = keys.create_organization("Free", tier="custom", actor=ME)

    assert not EffectiveLimit.objects.filter(organization_id=made.id).exists()
    assert version(made) == 1


def test_an_own_limit_takes_the_place_of_the_tier_s_number_and_gives_it_back(organization: Organization) -> None:
    holder = Holder(organization)
    set_limits(holder, {"requests": 7}, model_class="opus 5", actor=ME)
    assert numbers(organization)["Opus 5", "requests"] == 7
    assert numbers(organization)["Sonnet 5", "requests"] == 1_000

    set_limits(holder, {"requests": None}, model_class="claude-opus-5", actor=ME)

    assert numbers(organization)["Opus 5", "requests"] == 1_000
    assert version(organization) == 3


def test_a_limit_over_all_models_stands_beside_those_of_classes(organization: Organization) -> None:
    set_limits(Holder(organization), {"requests": 5, "concurrency": 2}, actor=ME)

    held = numbers(organization)
    assert (held["", "requests"], held["", "concurrency"], held["Opus 5", "requests"]) == (5, 2, 1_000)


def test_workspaces_and_keys_carry_limits_and_the_default_workspace_none(organization: Organization) -> None:
    workspace = keys.create_workspace(organization, "Research", actor=ME)
    key, _ = keys.create_key(organization=organization, workspace=workspace, name="k", actor=ME)
    set_limits(Holder(organization, workspace), {"requests": 3}, actor=ME)
    set_limits(Holder(organization, api_key=key), {"output_tokens": 4}, actor=ME)

    assert numbers(organization, f"ws:{workspace.id}") == {("", "requests"): 3}
    assert numbers(organization, f"key:{key.id}") == {("", "output_tokens"): 4}
    with pytest.raises(ChangeRefused, match="default workspace cannot carry limits"):
        set_limits(Holder(organization, organization.workspaces.get(is_default=True)), {"requests": 3}, actor=ME)


def test_money_has_a_mode_which_can_be_changed_alone(organization: Organization) -> None:
    holder = Holder(organization)
    set_limits(holder, {"spend:month": 10**12, "spend:day": 10**11}, actor=ME)
    set_limits(holder, {}, mode="strict", actor=ME)

    found = EffectiveLimit.objects.filter(organization_id=organization.id, kind__in=["spend:month", "spend:day"])
    assert {(one.kind, int(one.picos or 0), one.mode) for one in found} == {
        ("spend:month", 10**12, "strict"),
        ("spend:day", 10**11, "strict"),
    }


def test_each_change_leaves_one_audit_entry_and_none_when_nothing_changes(organization: Organization) -> None:
    holder = Holder(organization)
    set_limits(holder, {"requests": 5}, actor=ME)
    set_limits(holder, {"requests": 5}, actor=ME)

    entry = AuditEntry.objects.get(action="limits_changed")
    assert (entry.before, entry.after) == (
        {"model_class": "", "requests": None},
        {"model_class": "", "requests": 5},
    )
    assert version(organization) == 2


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ({}, {}),
        ({"requests": -1}, {}),
        ({"requests": 10**10}, {}),
        ({"wishes": 3}, {}),
        ({"requests": 3}, {"model_class": "Opus 77"}),
        ({"concurrency": 3}, {"model_class": "Opus 5"}),
        ({"spend:month": 3}, {"model_class": "Opus 5"}),
        ({"spend:month": 3}, {"mode": "sometimes"}),
    ],
)
def test_what_makes_no_sense_is_refused(
    organization: Organization, values: dict[str, int | None], options: dict[str, str]
) -> None:
    with pytest.raises(ChangeRefused):
        set_limits(Holder(organization), values, actor=ME, **options)
    assert version(organization) == 1


def test_a_class_is_known_by_its_models_too() -> None:
    assert class_named("claude-haiku-4-5") == "Haiku 4.5"
    assert class_named("sonnet 4.X") == "Sonnet 4.x"


def test_a_tier_is_changed_with_history_and_pin(organization: Organization) -> None:
    set_tier(organization, "tier_2", reason="an agreement", is_pinned=True, actor=ME)

    organization.refresh_from_db()
    assert organization.tier == "tier_2"
    assert numbers(organization)["Sonnet 4.x", "input_tokens"] == 450_000
    change = TierChange.objects.get(organization_id=organization.id)
    assert (change.before, change.after, change.reason) == ("start", "tier_2", "an agreement")
    assert TierPin.objects.filter(pk=organization.id).exists()
    assert AuditEntry.objects.filter(action="tier_changed").count() == 1
    with pytest.raises(ChangeRefused, match="There is no tier"):
        set_tier(organization, "platinum", actor=ME)


def beat(worker: object, number: int, answered: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tollgate_beat(%s, %s, %s, %s, '{}', '[]')",
            [worker, number, answered, '{"host": "h", "pid": 7}'],
        )


@pytest.mark.django_db(transaction=True)
def test_a_change_is_known_when_every_live_worker_has_acted_on_a_later_beat() -> None:
    organization = keys.create_organization("Acme", actor=ME)
    worker = uuid4()
    beat(worker, 1, 0)
    beat(worker, 2, 1)
    change = set_limits(Holder(organization), {"requests": 5}, actor=ME)

    assert wait_until_known(change, seconds=0) == ["h process 7"]
    beat(worker, 3, 2)  # it has heard, not yet said so
    assert wait_until_known(change, seconds=0) == ["h process 7"]
    beat(worker, 4, 3)
    assert wait_until_known(change, seconds=0) == []


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_as_soon_as_the_last_has_confirmed() -> None:
    organization = keys.create_organization("Acme", actor=ME)
    worker = uuid4()
    beat(worker, 1, 0)
    change = set_limits(Holder(organization), {"requests": 5}, actor=ME)

    def answer() -> None:
        time.sleep(0.3)
        beat(worker, 2, 1)
        beat(worker, 3, 2)
        connection.close()

    thread = threading.Thread(target=answer)
    start = time.monotonic()
    thread.start()
    assert wait_until_known(change) == []
    thread.join()
    assert time.monotonic() - start < 2


@pytest.mark.django_db(transaction=True)
def test_a_worker_long_silent_is_not_waited_for() -> None:
    organization = keys.create_organization("Acme", actor=ME)
    beat(uuid4(), 1, 0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE limit_worker SET beat_at = tollgate_now() - interval '16 seconds'")

    assert wait_until_known(set_limits(Holder(organization), {"requests": 5}, actor=ME)) == []
