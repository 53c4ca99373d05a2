"""Keys over real HTTP: issued by command while everything runs, refused by every worker once revoked."""

import time

import httpx

from tests.gateway import Factory, Gateway

HEADERS = {"anthropic-version": "2023-06-01"}
MESSAGE = {"model": "claude-opus-4-8", "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}
WORKERS = 2
ROUNDS = 20
"""New connections after the last good answer; each goes to whichever worker takes it first."""


def ask(running: Gateway, secret: str) -> httpx.Response:
    """On a connection of its own, so that every worker gets its share."""
    return httpx.post(f"{running.address}/v1/messages", json=MESSAGE, headers=HEADERS | {"x-api-key": secret})


def test_a_key_works_at_once_and_is_refused_within_a_second_of_its_end(gateway: Factory) -> None:
    running = gateway(workers=WORKERS)
    organization = running.command("org", "create", "acme").stdout.strip()
    made = running.command("key", "create", "--organization", organization, "--workspace", "research")
    secret = made.stdout.strip()
    assert [ask(running, secret).status_code for _ in range(ROUNDS)] == [200] * ROUNDS

    running.command("key", "revoke", secret)
    time.sleep(1)

    answers = [ask(running, secret) for _ in range(ROUNDS)]
    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].json()["error"] == {"type": "authentication_error", "message": "invalid x-api-key"}
    assert ask(running, running.api_key).status_code == 200
    listed = running.command("key", "list", "--organization", "acme").stdout
    assert "archived" in listed
    assert secret not in listed
    link = running.command("signin-link").stdout.strip()
    assert link.startswith(f"{running.address}/signin/")
