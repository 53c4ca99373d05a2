"""The rules of every change, two tenants in the room."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apikeys import actions, keys
from apikeys.actions.workspaces import MOST_WORKSPACES
from apikeys.errors import ChangeRefused, NotFound
from apikeys.models import ApiKey, Membership, Organization, User, Workspace, WorkspaceMembership
from tests.apikeys.conftest import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Organization:
    return actions.create_organization("acme", actor=OPERATOR)


@pytest.fixture
def globex() -> Organization:
    return actions.create_organization("globex", actor=OPERATOR)


@pytest.fixture
def ann() -> User:
    return actions.ensure_user("ann@example.com", actor=OPERATOR)


def refusal(code: str):
    return pytest.raises(ChangeRefused, check=lambda refused: refused.code == code)


# --- organizations ----------------------------------------------------------------------------------------------------


def test_an_organization_starts_with_its_default_workspace(acme: Organization) -> None:
    (default,) = acme.workspaces.all()

    assert (default.name, default.is_default, acme.tier) == ("Default", True, "custom")


def test_an_organizations_name_is_taken_once(acme: Organization) -> None:
    with refusal("name_taken"):
        actions.create_organization(" acme ", actor=OPERATOR)

    assert Workspace.objects.count() == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "two\nlines", "bell\a"])
def test_a_name_is_something_that_one_can_print(name: str) -> None:
    with pytest.raises(ChangeRefused):
        actions.create_organization(name, actor=OPERATOR)


def test_a_tier_has_to_exist() -> None:
    with refusal("unknown_tier"):
        actions.create_organization("acme", tier="platinum", actor=OPERATOR)
    assert actions.create_organization("acme", tier="custom", actor=OPERATOR).tier == "custom"


# --- workspaces -------------------------------------------------------------------------------------------------------


def test_workspace_names_are_taken_within_one_organization_until_archived(
    acme: Organization, globex: Organization
) -> None:
    first = actions.create_workspace(acme, "research", actor=OPERATOR)
    with refusal("name_taken"):
        actions.create_workspace(acme, "research", actor=OPERATOR)
    actions.create_workspace(globex, "research", actor=OPERATOR)
    actions.archive_workspace(first, actor=OPERATOR)

    assert actions.create_workspace(acme, "research", actor=OPERATOR).id != first.id


def test_an_organization_has_at_most_a_hundred_workspaces(acme: Organization) -> None:
    Workspace.objects.bulk_create(
        Workspace(organization=acme, name=f"number {number}") for number in range(MOST_WORKSPACES - 1)
    )

    with refusal("too_many_workspaces"):
        actions.create_workspace(acme, "one more", actor=OPERATOR)


def test_the_default_workspace_is_neither_renamed_nor_archived_nor_joined(acme: Organization, ann: User) -> None:
    default = acme.workspaces.get()
    actions.add_member(acme, ann, "user", actor=OPERATOR)

    with refusal("default_workspace"):
        actions.update_workspace(default, name="Other", actor=OPERATOR)
    with refusal("default_workspace"):
        actions.archive_workspace(default, actor=OPERATOR)
    with refusal("default_workspace"):
        actions.add_workspace_member(default, ann, "workspace_admin", actor=OPERATOR)
    assert actions.update_workspace(default, display_color="#112233", actor=OPERATOR).display_color == "#112233"


def test_a_workspace_changes_what_is_given_and_nothing_else(acme: Organization) -> None:
    workspace = actions.create_workspace(acme, "research", actor=OPERATOR)

    actions.update_workspace(workspace, name="science", actor=OPERATOR)
    with refusal("name_taken"):
        actions.update_workspace(workspace, name="Default", actor=OPERATOR)
    with refusal("bad_color"):
        actions.update_workspace(workspace, display_color="red", actor=OPERATOR)

    workspace.refresh_from_db()
    assert (workspace.name, workspace.display_color) == ("science", "#6C5BB9")


def test_an_archived_workspace_takes_its_keys_along_and_stays_as_it_is(acme: Organization) -> None:
    workspace = actions.create_workspace(acme, "research", actor=OPERATOR)
    inside, _ = actions.create_key(organization=acme, workspace=workspace, name="inside", actor=OPERATOR)
    outside, _ = actions.create_key(organization=acme, name="outside", actor=OPERATOR)

    actions.archive_workspace(workspace, actor=OPERATOR)
    actions.archive_workspace(workspace, actor=OPERATOR)

    inside.refresh_from_db()
    outside.refresh_from_db()
    workspace.refresh_from_db()
    assert (inside.status, outside.status) == ("archived", "active")
    with refusal("workspace_archived"):
        actions.update_workspace(workspace, name="again", actor=OPERATOR)
    with refusal("workspace_archived"):
        actions.create_key(organization=acme, workspace=workspace, name="late", actor=OPERATOR)
    with refusal("key_archived"):
        actions.set_key_status(inside, "active", actor=OPERATOR)


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_keys_secret_is_not_stored(acme: Organization, settings) -> None:
    key, secret = actions.create_key(organization=acme, name="a key", actor=OPERATOR)

    stored = ApiKey.objects.values().get(pk=key.pk)

    assert keys.looks_valid(secret)
    assert bytes(stored["digest"]) == keys.digest(secret, settings.KEY_PEPPER)
    assert stored["hint"] == keys.hint(secret)
    assert secret not in repr(stored)
    assert secret not in str(acme.audit_entries.values())


def test_a_key_goes_to_the_default_workspace_unless_told(acme: Organization) -> None:
    workspace = actions.create_workspace(acme, "research", actor=OPERATOR)

    untold, _ = actions.create_key(organization=acme, name="a key", actor=OPERATOR)
    told, _ = actions.create_key(organization=acme, workspace=workspace, name="a key", actor=OPERATOR)
    admin, secret = actions.create_key(organization=acme, kind="admin", name="a key", actor=OPERATOR)

    assert untold.workspace is not None
    assert untold.workspace.is_default
    assert told.workspace == workspace
    assert admin.workspace is None
    assert secret.startswith("sk-toll-admin01-")
    with refusal("admin_key_in_workspace"):
        actions.create_key(organization=acme, workspace=workspace, kind="admin", name="a key", actor=OPERATOR)


def test_a_strangers_workspace_does_not_exist(acme: Organization, globex: Organization) -> None:
    theirs = actions.create_workspace(globex, "secret", actor=OPERATOR)

    with pytest.raises(NotFound) as foreign:
        actions.create_key(organization=acme, workspace=theirs, name="a key", actor=OPERATOR)
    with pytest.raises(NotFound) as missing:
        actions.create_key(organization=acme, workspace=Workspace(id="wrkspc_none"), name="a key", actor=OPERATOR)

    assert str(foreign.value) == str(missing.value)
    assert not ApiKey.objects.exists()


def test_a_key_cannot_expire_in_the_past(acme: Organization) -> None:
    with refusal("expiry_in_the_past"):
        actions.create_key(organization=acme, name="late", expires_at=timezone.now(), actor=OPERATOR)


def test_an_archived_organization_gets_no_keys(acme: Organization) -> None:
    actions.archive_organization(acme, actor=OPERATOR)

    with refusal("organization_archived"):
        actions.create_key(organization=acme, name="late", actor=OPERATOR)
    with refusal("organization_archived"):
        actions.create_workspace(acme, "late", actor=OPERATOR)


def test_a_key_is_switched_off_and_on_and_archived_for_good(acme: Organization) -> None:
    key, _ = actions.create_key(organization=acme, name="a key", actor=OPERATOR)

    seen = [actions.set_key_status(key, status, actor=OPERATOR).status for status in ("inactive", "active", "archived")]

    assert seen == ["inactive", "active", "archived"]
    with refusal("key_archived"):
        actions.set_key_status(key, "active", actor=OPERATOR)
    with refusal("bad_status"):
        actions.set_key_status(key, "expired", actor=OPERATOR)


def test_an_expired_key_can_only_be_archived(acme: Organization) -> None:
    key, _ = actions.create_key(organization=acme, name="a key", actor=OPERATOR)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    for status in ("active", "inactive"):
        with refusal("key_expired"):
            actions.set_key_status(key, status, actor=OPERATOR)

    assert actions.set_key_status(key, "archived", actor=OPERATOR).status == "archived"


def test_a_key_can_be_renamed(acme: Organization) -> None:
    key, _ = actions.create_key(organization=acme, name="a key", actor=OPERATOR)

    assert actions.rename_key(key, " the key ", actor=OPERATOR).name == "the key"


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_mail_address_is_one_person_in_whatever_capitals(ann: User) -> None:
    assert actions.ensure_user("ANN@example.com ", actor=OPERATOR) == ann
    with refusal("bad_email"):
        actions.ensure_user("ann", actor=OPERATOR)


def test_the_operator_is_made_once() -> None:
    operator = actions.ensure_operator(actor=OPERATOR)

    assert actions.ensure_operator(actor=OPERATOR) == operator
    assert (operator.is_staff, operator.is_superuser, operator.has_usable_password()) == (True, True, False)


def test_members_join_change_and_leave(acme: Organization, globex: Organization, ann: User) -> None:
    boss = actions.ensure_user("boss@example.com", actor=OPERATOR)
    actions.add_member(acme, boss, "admin", actor=OPERATOR)
    actions.add_member(acme, ann, "user", actor=OPERATOR)
    workspace = actions.create_workspace(acme, "research", actor=OPERATOR)
    actions.add_workspace_member(workspace, ann, "workspace_developer", actor=OPERATOR)

    with refusal("already_member"):
        actions.add_member(acme, ann, "admin", actor=OPERATOR)
    assert actions.change_role(acme, ann, "developer", actor=OPERATOR).role == "developer"
    with refusal("bad_role"):
        actions.change_role(acme, ann, "owner", actor=OPERATOR)
    with pytest.raises(NotFound):
        actions.change_role(globex, ann, "admin", actor=OPERATOR)
    actions.remove_member(acme, ann, actor=OPERATOR)

    assert list(Membership.objects.values_list("user__email", flat=True)) == ["boss@example.com"]
    assert not WorkspaceMembership.objects.exists()
    with pytest.raises(NotFound):
        actions.remove_member(acme, ann, actor=OPERATOR)


def test_the_last_admin_stays(acme: Organization, ann: User) -> None:
    boss = actions.ensure_user("boss@example.com", actor=OPERATOR)
    actions.add_member(acme, boss, "admin", actor=OPERATOR)
    with refusal("last_admin"):
        actions.change_role(acme, boss, "user", actor=OPERATOR)
    with refusal("last_admin"):
        actions.remove_member(acme, boss, actor=OPERATOR)

    actions.add_member(acme, ann, "admin", actor=OPERATOR)

    assert actions.change_role(acme, boss, "user", actor=OPERATOR).role == "user"


def test_a_workspace_takes_members_of_its_organization_only(
    acme: Organization, globex: Organization, ann: User
) -> None:
    actions.add_member(globex, ann, "user", actor=OPERATOR)
    workspace = actions.create_workspace(acme, "research", actor=OPERATOR)

    with pytest.raises(NotFound):
        actions.add_workspace_member(workspace, ann, "workspace_user", actor=OPERATOR)
    actions.add_member(acme, ann, "user", actor=OPERATOR)
    with refusal("bad_role"):
        actions.add_workspace_member(workspace, ann, "workspace_billing", actor=OPERATOR)
    assert actions.add_workspace_member(workspace, ann, "workspace_user", actor=OPERATOR).role == "workspace_user"
    assert actions.add_workspace_member(workspace, ann, "workspace_admin", actor=OPERATOR).role == "workspace_admin"
    actions.remove_workspace_member(workspace, ann, actor=OPERATOR)
    with pytest.raises(NotFound):
        actions.remove_workspace_member(workspace, ann, actor=OPERATOR)


# --- sign-in links ----------------------------------------------------------------------------------------------------


def test_a_sign_in_link_works_once(ann: User) -> None:
    token = actions.create_signin_link(ann)

    assert actions.redeem_signin_link(token, address="192.0.2.1") == ann
    with pytest.raises(NotFound):
        actions.redeem_signin_link(token, address="192.0.2.1")


def test_old_links_made_up_links_and_links_of_the_banned_open_nothing(ann: User) -> None:
    from apikeys.models import SigninLink

    old, banned = actions.create_signin_link(ann), actions.create_signin_link(ann)
    SigninLink.objects.filter(digest__in=[SigninLink.objects.order_by("created_at")[0].digest]).update(
        expires_at=timezone.now()
    )
    User.objects.filter(pk=ann.pk).update(is_active=False)

    for token in (old, banned, "made up", ""):
        with pytest.raises(NotFound):
            actions.redeem_signin_link(token, address=None)
