"""Every change leaves an entry, in the change's own transaction; entries stay."""

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from apikeys import actions, audit
from apikeys.audit import Actor
from apikeys.models import ApiKey, AuditEntry, Membership, Organization, User, Workspace
from tests.apikeys.conftest import OPERATOR, Tenant

ANN = Actor.user("user_ann", address="192.0.2.7", request_id="req_1")


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_which_thing_from_where() -> None:
    acme = actions.create_organization("acme", actor=OPERATOR)
    key, _ = actions.create_key(organization=acme, name="a key", actor=ANN)

    actions.set_key_status(key, "inactive", actor=ANN)

    entry = AuditEntry.objects.filter(organization=acme).latest("created_at")
    assert (entry.actor_type, entry.actor_id, entry.address, entry.request_id) == (
        "user_actor",
        "user_ann",
        "192.0.2.7",
        "req_1",
    )
    assert (entry.action, entry.object_type, entry.object_id) == ("api_key_updated", "api_key", key.id)
    assert (entry.before, entry.after) == ({"status": "active"}, {"status": "inactive"})


@pytest.mark.django_db
def test_every_action_leaves_exactly_one_entry_and_no_change_leaves_none() -> None:
    ann = actions.ensure_user("ann@example.com", actor=ANN)
    acme = actions.create_organization("acme", actor=ANN)
    workspace = actions.create_workspace(acme, "research", actor=ANN)
    key, _ = actions.create_key(organization=acme, name="a key", actor=ANN)
    changes: list[Callable[[], object]] = [
        lambda: actions.update_workspace(workspace, name="science", actor=ANN),
        lambda: actions.rename_key(key, "the key", actor=ANN),
        lambda: actions.set_key_status(key, "inactive", actor=ANN),
        lambda: actions.archive_workspace(workspace, actor=ANN),
        lambda: actions.archive_organization(acme, actor=ANN),
    ]
    actions.add_member(acme, ann, "admin", actor=ANN)

    for change in changes:
        before = AuditEntry.objects.count()
        change()
        change()
        assert AuditEntry.objects.count() == before + 1

    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "user_created",
        "organization_created",
        "workspace_created",
        "api_key_created",
        "member_added",
        "workspace_updated",
        "api_key_updated",
        "workspace_archived",
        "organization_archived",
    }


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_leaves_neither_change_nor_entry() -> None:
    acme = actions.create_organization("acme", actor=OPERATOR)
    entries = AuditEntry.objects.count()

    with transaction.atomic():
        key, _ = actions.create_key(organization=acme, name="a key", actor=OPERATOR)
        actions.set_key_status(key, "archived", actor=OPERATOR)
        actions.create_workspace(acme, "research", actor=OPERATOR)
        transaction.set_rollback(True)

    assert not ApiKey.objects.exists()
    assert Workspace.objects.count() == 1
    assert AuditEntry.objects.count() == entries


@pytest.mark.django_db(transaction=True)
def test_a_change_whose_entry_cannot_be_written_does_not_happen(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = Actor("user_actor", "x" * 201)  # longer than the column

    with pytest.raises(DatabaseError):
        actions.set_key_status(acme.key, "archived", actor=endless)

    acme.key.refresh_from_db()
    assert acme.key.status == "active"


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        audit.record(ANN, "nothing", organization=None, object_type="user", object_id="user_ann")


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE apikeys_auditentry SET action = 'x'", "DELETE FROM apikeys_auditentry"])
def test_entries_are_neither_changed_nor_deleted(statement: str) -> None:
    actions.create_organization("acme", actor=OPERATOR)

    with pytest.raises(DatabaseError, match="never updated or deleted"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_two_last_admins_cannot_demote_each_other() -> None:
    acme = actions.create_organization("acme", actor=OPERATOR)
    people = [actions.ensure_user(f"{name}@example.com", actor=OPERATOR) for name in ("ann", "bob")]
    for person in people:
        actions.add_member(acme, person, "admin", actor=OPERATOR)

    _together(*(lambda person=person: actions.change_role(acme, person, "user", actor=OPERATOR) for person in people))

    assert Membership.objects.filter(role="admin").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_name_asked_for_twice_at_once_is_one_workspace() -> None:
    acme = actions.create_organization("acme", actor=OPERATOR)

    refused = _together(*[lambda: actions.create_workspace(acme, "research", actor=OPERATOR)] * 5)

    assert acme.workspaces.filter(name="research").count() == 1
    assert [error.code for error in refused] == ["name_taken"] * 4


@pytest.mark.django_db(transaction=True)
def test_one_organization_asked_for_twice_at_once_is_one() -> None:
    refused = _together(*[lambda: actions.create_organization("acme", actor=OPERATOR)] * 5)

    assert Organization.objects.count() == 1
    assert Workspace.objects.count() == 1
    assert len(refused) == 4


@pytest.mark.django_db(transaction=True)
def test_one_person_made_twice_at_once_is_one_in_whatever_capitals() -> None:
    spellings = ["ann@example.com", "Ann@example.com", "ANN@EXAMPLE.COM", "ann@Example.com"]

    refused = _together(*[lambda email=email: actions.ensure_user(email, actor=OPERATOR) for email in spellings])

    assert refused == []
    assert User.objects.count() == AuditEntry.objects.filter(action="user_created").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_link_clicked_twice_at_once_signs_in_once() -> None:
    from apikeys.errors import NotFound

    token = actions.create_signin_link(actions.ensure_operator(actor=OPERATOR))

    refused = _together(*[lambda: actions.redeem_signin_link(token, address=None)] * 4)

    assert [type(error) for error in refused] == [NotFound] * 3


def _together(*changes: Callable[[], object]) -> list[Exception]:
    """Run all of them at the same time, each in a thread with a connection of its own; what went wrong."""
    gate, errors = threading.Barrier(len(changes)), []

    def run(change: Callable[[], object]) -> None:
        try:
            gate.wait(10)
            change()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[change]) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
