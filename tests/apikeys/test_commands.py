"""`./tollgate org`, `key` and `signin-link`, as scripts call them."""

import re
from collections.abc import Callable

import pytest
from django.conf import settings

from apikeys import actions
from apikeys.models import ApiKey, AuditEntry, Organization, SigninLink, User, Workspace
from config import cli
from tests.apikeys.conftest import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, stdout and stderr of `./tollgate ARGUMENTS`."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main([*arguments, "--data", str(settings.DATA_DIR)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def acme() -> Organization:
    return actions.create_organization("acme", actor=OPERATOR)


def test_org_create_prints_the_id_alone(run: Run) -> None:
    code, out, err = run("org", "create", "acme", "--tier", "build")

    made = Organization.objects.get(name="acme")
    assert (code, out, err) == (0, f"{made.id}\n", "")
    assert made.tier == "build"


def test_org_create_refuses_a_taken_name_and_an_unknown_tier(run: Run, acme: Organization) -> None:
    for arguments in (["acme"], ["globex", "--tier", "platinum"], [""]):
        code, out, err = run("org", "create", *arguments)

        assert (code, out) == (1, "")
        assert re.fullmatch(r"tollgate: .*\n", err)
    assert Organization.objects.count() == 1


def test_org_list_shows_all(run: Run, acme: Organization) -> None:
    code, out, _ = run("org", "list")

    assert code == 0
    assert re.search(rf"^{acme.id}  acme  custom  \d{{4}}-\d\d-\d\d  active$", out, re.MULTILINE)


@pytest.mark.parametrize("by", [lambda acme: acme.name, lambda acme: str(acme.id)], ids=["name", "id"])
def test_key_create_prints_the_secret_alone(run: Run, acme: Organization, by: Callable[[Organization], str]) -> None:
    code, out, err = run("key", "create", "--organization", by(acme))

    assert code == 0
    assert re.fullmatch(r"sk-toll-api01-[0-9A-Za-z]{49}\n", out)
    assert err == ""
    assert ApiKey.objects.get().workspace == acme.workspaces.get(is_default=True)


def test_key_create_makes_a_missing_workspace_once_and_says_so(run: Run, acme: Organization) -> None:
    _, _, first = run("key", "create", "--organization", "acme", "--workspace", "research", "--name", "one")
    _, _, second = run("key", "create", "--organization", "acme", "--workspace", "research", "--name", "two")

    research = Workspace.objects.get(name="research")
    assert "research" in first
    assert research.id in first
    assert second == ""
    assert [key.name for key in research.api_keys.order_by("created_at")] == ["one", "two"]


def test_key_create_leaves_nothing_behind_when_it_fails(run: Run, acme: Organization) -> None:
    actions.archive_organization(acme, actor=OPERATOR)

    code, out, _ = run("key", "create", "--organization", "acme", "--workspace", "research")

    assert (code, out) == (1, "")
    assert not Workspace.objects.filter(name="research").exists()


def test_key_create_with_an_end(run: Run, acme: Organization) -> None:
    assert run("key", "create", "--organization", "acme", "--expires-in", "30d")[0] == 0
    assert run("key", "create", "--organization", "acme", "--expires-in", "soon")[0] == 1

    (key,) = ApiKey.objects.all()
    assert key.expires_at is not None
    assert round((key.expires_at - key.created_at).total_seconds()) == 30 * 24 * 3600


def test_key_create_for_the_admin_api(run: Run, acme: Organization) -> None:
    _, out, _ = run("key", "create", "--organization", "acme", "--admin")

    assert out.startswith("sk-toll-admin01-")
    with pytest.raises(SystemExit, match="2"):
        run("key", "create", "--organization", "acme", "--admin", "--workspace", "research")


def test_key_create_for_nobody(run: Run) -> None:
    code, out, err = run("key", "create", "--organization", "acme")

    assert (code, out, err) == (1, "", "tollgate: there is no organization “acme”\n")


@pytest.mark.parametrize("by", ["id", "secret"])
def test_key_revoke_archives_and_never_repeats_a_secret(run: Run, acme: Organization, by: str) -> None:
    key, secret = actions.create_key(organization=acme, name="a key", actor=OPERATOR)

    code, out, err = run("key", "revoke", key.id if by == "id" else secret)

    key.refresh_from_db()
    assert (code, out, key.status) == (0, "", "archived")
    assert key.id in err
    assert secret not in err
    entry = AuditEntry.objects.latest("created_at")
    assert (entry.actor_type, entry.actor_id, entry.object_id) == ("operator_actor", "command-line", key.id)


def test_key_revoke_of_an_unknown_secret_does_not_repeat_it(run: Run) -> None:
    secret = "sk-toll-api01-" + "x" * 49

    code, out, err = run("key", "revoke", secret)

    assert (code, out) == (1, "")
    assert "x" * 10 not in err


def test_key_list_shows_keys_without_secrets(run: Run, acme: Organization) -> None:
    globex = actions.create_organization("globex", actor=OPERATOR)
    ours, secret = actions.create_key(organization=acme, name="ours", actor=OPERATOR)
    theirs, _ = actions.create_key(organization=globex, kind="admin", name="theirs", actor=OPERATOR)

    _, everything, _ = run("key", "list")
    _, of_acme, _ = run("key", "list", "--organization", "acme")

    assert ours.id in everything
    assert theirs.id in everything
    assert ours.hint in of_acme
    assert theirs.id not in of_acme
    assert secret not in everything
    assert run("key", "list", "--organization", "nobody")[0] == 1


def test_signin_link_is_for_the_operator(run: Run) -> None:
    code, out, _ = run("signin-link")

    match = re.fullmatch(r"http://127\.0\.0\.1:8000/signin/([-_0-9A-Za-z]{43})\n", out)
    assert code == 0
    assert match is not None
    assert actions.redeem_signin_link(match[1], address=None).is_staff


def test_signin_link_leads_to_the_running_server(run: Run) -> None:
    path = settings.DATA_DIR / "address"
    path.write_text("http://127.0.0.1:8123\n")
    try:
        assert run("signin-link")[1].startswith("http://127.0.0.1:8123/signin/")
    finally:
        path.unlink()


def test_signin_link_for_somebody(run: Run) -> None:
    ann = actions.ensure_user("ann@example.com", actor=OPERATOR)

    _, _, known = run("signin-link", "--email", "Ann@Example.com")
    _, _, new = run("signin-link", "--email", "bob@example.com")
    refused, _, _ = run("signin-link", "--email", "bob")

    assert SigninLink.objects.filter(user=ann).count() == 1
    assert "operator" not in known
    assert "bob@example.com is new here, and an operator now" in new
    assert list(User.objects.filter(is_staff=True).values_list("email", flat=True)) == ["bob@example.com"]
    assert refused == 1
