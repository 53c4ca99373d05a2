"""Two tenants in the console: acme with people of several roles, and the outsider globex."""

from dataclasses import dataclass, field

import pytest
from django.test import Client

from apikeys import actions
from apikeys.models import ApiKey, Organization, User, Workspace

OPERATOR = actions.Actor.command_line()
PASSWORD = "correct horse battery staple"  # noqa: S105


@dataclass
class Tenant:
    """An organization with two workspaces, a key in each, and an admin."""

    organization: Organization
    default: Workspace
    research: Workspace
    admin: User
    key: ApiKey
    research_key: ApiKey
    secrets: dict[str, str] = field(default_factory=dict)

    def address(self, rest: str = "", scope: str = "all") -> str:
        return f"/c/{self.organization.id}/{scope}/{rest}"

    def person(self, name: str, role: str, workspace_role: str = "") -> User:
        """A member with this role, and if given with a role in the research workspace."""
        user = actions.ensure_user(f"{name}@{self.organization.name}.example", actor=OPERATOR)
        actions.add_member(self.organization, user, role, actor=OPERATOR)
        if workspace_role:
            actions.add_workspace_member(self.research, user, workspace_role, actor=OPERATOR)
        return user

    def signed_in(self, user: User | None = None, *, checks_csrf: bool = False) -> Client:
        client = Client(enforce_csrf_checks=checks_csrf)
        client.force_login(user or self.admin)
        return client


def make_tenant(name: str) -> Tenant:
    organization = actions.create_organization(name, actor=OPERATOR)
    research = actions.create_workspace(organization, "Research", actor=OPERATOR)
    admin = actions.ensure_user(f"ada@{name}.example", actor=OPERATOR)
    actions.add_member(organization, admin, "admin", actor=OPERATOR)
    key, secret = actions.create_key(organization=organization, name=f"{name}-first", created_by=admin, actor=OPERATOR)
    research_key, research_secret = actions.create_key(
        organization=organization, workspace=research, name=f"{name}-research", created_by=admin, actor=OPERATOR
    )
    return Tenant(
        organization,
        organization.workspaces.get(is_default=True),
        research,
        admin,
        key,
        research_key,
        {key.id: secret, research_key.id: research_secret},
    )


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def globex(db: None) -> Tenant:
    return make_tenant("globex")
