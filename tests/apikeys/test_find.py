"""What people call things, and that strangers' things are called nothing."""

import uuid

import pytest

from apikeys import actions, find, keys
from apikeys.errors import NotFound
from apikeys.models import Organization
from tests.apikeys.conftest import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Organization:
    return actions.create_organization("acme", actor=OPERATOR)


@pytest.fixture
def globex() -> Organization:
    return actions.create_organization("globex", actor=OPERATOR)


def test_organizations_are_found_by_name_and_id(acme: Organization, globex: Organization) -> None:
    assert find.organization(" acme ") == find.organization(str(acme.id)) == acme
    for nobody in ("ACME", "", str(uuid.uuid4())):
        with pytest.raises(NotFound):
            find.organization(nobody)


def test_an_organization_named_like_an_id_is_found_by_it() -> None:
    name = str(uuid.uuid4())

    made = actions.create_organization(name, actor=OPERATOR)

    assert find.organization(name) == made


def test_workspaces_are_found_in_their_own_organization(acme: Organization, globex: Organization) -> None:
    ours = actions.create_workspace(acme, "research", actor=OPERATOR)
    theirs = actions.create_workspace(globex, "secret", actor=OPERATOR)

    assert find.workspace(acme, "research") == find.workspace(acme, ours.id) == ours
    for stranger in (theirs.id, "secret", "wrkspc_none"):
        with pytest.raises(NotFound, match=f"acme has no workspace “{stranger}”"):
            find.workspace(acme, stranger)


def test_an_archived_workspace_is_found_by_id_alone(acme: Organization) -> None:
    old = actions.create_workspace(acme, "research", actor=OPERATOR)
    actions.archive_workspace(old, actor=OPERATOR)

    assert find.workspace(acme, old.id) == old
    with pytest.raises(NotFound):
        find.workspace(acme, "research")


def test_keys_are_found_by_id_and_secret_and_not_by_strangers(acme: Organization, globex: Organization) -> None:
    key, secret = actions.create_key(organization=acme, name="a key", actor=OPERATOR)

    assert find.api_key(key.id) == find.api_key(secret) == find.api_key(secret, organization=acme) == key
    with pytest.raises(NotFound, match=f"there is no key {key.id}"):
        find.api_key(key.id, organization=globex)
    with pytest.raises(NotFound, match="there is no such key"):
        find.api_key(secret, organization=globex)
    with pytest.raises(NotFound, match="there is no such key"):
        find.api_key(keys.make_secret("api"))
