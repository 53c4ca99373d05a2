"""Workers are processes: a key revoked in one stops in all, also while their caches are being refilled."""

import json
import os
import random
import subprocess
import sys
import time

from django.conf import settings

from apikeys import actions
from tests.apikeys.conftest import OPERATOR, Tenant

PROCESSES = 3


def test_a_revoked_key_is_refused_by_every_process_within_a_second(
    acme: Tenant, globex: Tenant, acceptance: bool
) -> None:
    made = [
        actions.create_key(organization=acme.organization, name=f"key {number}", actor=OPERATOR)
        for number in range(40 if acceptance else 8)
    ]
    secrets = [secret for _, secret in made]
    hammers = [_start([*secrets, globex.secret]) for _ in range(PROCESSES)]
    try:
        for hammer in hammers:
            assert hammer.stdout.readline() == "ready\n"
        revoked_at = {}
        for key, secret in made:
            time.sleep(random.uniform(0, 0.2))
            actions.set_key_status(key, "archived", actor=OPERATOR)
            revoked_at[secret] = time.time()
        time.sleep(1.5)
        ended_at = time.time()
        last = [json.loads(hammer.communicate(timeout=30)[0]) for hammer in hammers]
    finally:
        for hammer in hammers:
            hammer.kill()
            hammer.wait()

    late = [answers[secret] - at for answers in last for secret, at in revoked_at.items()]
    assert len(late) == PROCESSES * len(secrets)
    assert max(late) < 1
    assert min(answers[globex.secret] for answers in last) > ended_at - 0.5  # the others went on all the time


def _start(secrets: list[str]) -> subprocess.Popen[str]:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "TOLLGATE_DATA": str(settings.DATA_DIR)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.apikeys.hammer"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdin.write("\n".join(secrets) + "\n\n")
    process.stdin.flush()
    return process
