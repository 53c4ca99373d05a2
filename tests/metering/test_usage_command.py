import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.cli import build_parser
from config.failures import Failure
from tests.metering.ledger import Team

pytestmark = pytest.mark.django_db

NOON = timezone.now().replace(hour=12, minute=7, second=0, microsecond=0) - timedelta(days=2)
USAGE = {
    "input_tokens": 1_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    "cache_read_input_tokens": 40,
    "output_tokens": 500,
}


def _run(*arguments: str) -> None:
    options = build_parser().parse_args(["usage", *arguments])
    assert options.needs_database
    assert options.run(options) == 0


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    _run(*arguments, "--json")
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


@pytest.fixture
def acme() -> Team:
    """Older than what it used."""
    team = Team("acme")
    team.organization.created_at = NOON - timedelta(days=3)
    team.organization.save()
    return team


def test_the_json_that_scripts_rely_on(acme: Team, capsys: pytest.CaptureFixture[str]) -> None:
    globex = Team("globex")
    globex.use(NOON, USAGE)
    acme.use(NOON, USAGE)
    acme.use(NOON, {"output_tokens": 1}, key=acme.research_key, model="claude-haiku-5-5")

    body = _json(capsys, "--organization", "acme")

    zeros = dict.fromkeys(
        (
            "uncached_input_tokens",
            "cache_creation_5m_input_tokens",
            "cache_creation_1h_input_tokens",
            "cache_read_input_tokens",
        ),
        0,
    )
    big = {
        "requests": 1,
        "uncached_input_tokens": 1_000,
        "cache_creation_5m_input_tokens": 20,
        "cache_creation_1h_input_tokens": 30,
        "cache_read_input_tokens": 40,
        "output_tokens": 500,
        "cost_usd": "0.007174",
    }
    assert body == {
        "organization": "acme",
        "since": f"{NOON - timedelta(days=3):%Y-%m-%d}T12:00:00Z",
        "rows": [
            {"workspace": "Default", "api_key": acme.key.id, "model": "claude-sonnet-5-5", **big},
            {
                "workspace": "research",
                "api_key": acme.research_key.id,
                "model": "claude-haiku-5-5",
                "requests": 1,
                **zeros,
                "output_tokens": 1,
                "cost_usd": "0.0000005",
            },
        ],
        "total": {**big, "requests": 2, "output_tokens": 501, "cost_usd": "0.0071745"},
        "backlog": 0,
    }


def test_an_id_does_as_well_as_a_name(acme: Team, capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "--organization", str(acme.organization.id))["organization"] == "acme"


def test_an_organization_without_usage_is_all_zeros(acme: Team, capsys: pytest.CaptureFixture[str]) -> None:
    body = _json(capsys, "--organization", "acme")

    assert body["rows"] == []
    assert body["total"]["cost_usd"] == "0"


def test_since_is_exact_to_the_minute(acme: Team, capsys: pytest.CaptureFixture[str]) -> None:
    now = timezone.now()
    acme.use(now - timedelta(minutes=3), USAGE)
    acme.use(now, USAGE)

    assert _json(capsys, "--organization", "acme", "--since", "2m")["total"]["requests"] == 1
    assert _json(capsys, "--organization", "acme", "--since", "1h")["total"]["requests"] == 2


def test_older_times_come_from_what_is_kept_for_good(acme: Team, capsys: pytest.CaptureFixture[str]) -> None:
    acme.use(datetime(2026, 3, 1, 10, 20, tzinfo=UTC), USAGE, model="claude-opus-4-6")

    body = _json(capsys, "--organization", "acme", "--since", "2026-03-01T10:20:00Z")

    assert body["since"] == "2026-03-01T10:15:00Z"
    assert body["total"]["requests"] == 1


def test_requests_that_ended_before_a_model_was_known_are_counted(
    acme: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    acme.use(NOON, {}, model="", outcome="refused", requests=7)

    (row,) = _json(capsys, "--organization", "acme")["rows"]

    assert (row["model"], row["requests"], row["cost_usd"]) == (None, 7, "0")


def test_the_table_for_people(acme: Team, capsys: pytest.CaptureFixture[str]) -> None:
    acme.use(NOON, USAGE)

    _run("--organization", "acme")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"acme, since {NOON - timedelta(days=3):%Y-%m-%d} 12:00 UTC"
    assert " ".join(lines[2].split()) == "WORKSPACE KEY MODEL REQUESTS INPUT WRITE 5M WRITE 1H READ OUTPUT USD"
    figures = "1 1,000 20 30 40 500 0.0072"
    assert " ".join(lines[3].split()) == f"Default first {acme.key.id} claude-sonnet-5-5 {figures}"
    assert " ".join(lines[4].split()) == f"Total {figures}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--organization", "nobody"], "no organization"), (["--organization", "acme", "--since", "soon"], "is no time")],
)
def test_what_cannot_be_shown_is_one_clear_line(acme: Team, arguments: list[str], message: str) -> None:
    with pytest.raises(Failure, match=message):
        _run(*arguments)
