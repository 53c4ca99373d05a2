import pytest

from apikeys.models import OrganizationRole, WorkspaceRole
from apikeys.permissions import Right, may, may_everywhere, workspace_role

# The columns of Claude's own table of roles.
BY_WORKSPACE_ROLE = {
    "workspace_user": "playground",
    "workspace_restricted_developer": "playground keys usage logs",
    "workspace_developer": "playground keys usage logs files",
    "workspace_admin": "playground keys usage logs files limits workspace",
    "workspace_billing": "playground usage limits",
}


@pytest.mark.parametrize("role", WorkspaceRole.values)
def test_each_workspace_role_has_its_rights_and_no_others(role: str) -> None:
    assert {right for right in Right if may(role, right)} == set(BY_WORKSPACE_ROLE[role].split())


def test_only_admins_and_billing_have_rights_everywhere() -> None:
    having = {role: {right for right in Right if may_everywhere(role, right)} for role in OrganizationRole.values}

    assert having == {
        "user": set(),
        "claude_code_user": set(),
        "developer": set(),
        "billing": {"playground", "usage", "limits", "billing"},
        "admin": set(Right),
    }


@pytest.mark.parametrize(
    ("organization_role", "given", "in_default", "in_another"),
    [
        ("user", None, "workspace_user", None),
        ("user", "workspace_admin", "workspace_user", "workspace_admin"),
        ("claude_code_user", None, "workspace_user", None),
        ("developer", None, "workspace_developer", None),
        ("developer", "workspace_restricted_developer", "workspace_developer", "workspace_restricted_developer"),
        ("billing", None, "workspace_billing", "workspace_billing"),
        ("billing", "workspace_admin", "workspace_billing", "workspace_admin"),
        ("billing", "workspace_developer", "workspace_billing", "workspace_billing"),
        ("admin", None, "workspace_admin", "workspace_admin"),
        ("admin", "workspace_user", "workspace_admin", "workspace_admin"),
        ("owner of the moon", None, None, None),
    ],
)
def test_a_role_in_the_organization_reaches_into_workspaces(
    organization_role: str, given: str | None, in_default: str | None, in_another: str | None
) -> None:
    assert workspace_role(organization_role, given, is_default=True) == in_default
    assert workspace_role(organization_role, given, is_default=False) == in_another


def test_what_nobody_knows_opens_nothing() -> None:
    assert not may(None, "usage")
    assert not may("", "usage")
    assert not may("admin", "usage")  # a role in the organization is none in a workspace
    assert not may("workspace_admin", "anything")
    assert not may_everywhere("workspace_admin", "usage")
