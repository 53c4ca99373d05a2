"""Creates and revokes keys of a running installation: `python -m tests.races.revoking`, with its TOLLGATE_DATA.

One command a line, one JSON answer a line: `create N` answers `[[id, secret], ...]`; `revoke ID` answers the time at
which the change was in force in the database (seconds since the epoch).
"""

import json
import os
import sys
import time


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup(set_prefix=False)
    from apikeys import actions, find
    from apikeys.models import Organization

    actor = actions.Actor.command_line()
    organization = Organization.objects.get()
    for line in sys.stdin:
        verb, argument = line.split()
        if verb == "create":
            keys = [
                actions.create_key(organization=organization, name="raced", actor=actor) for _ in range(int(argument))
            ]
            _answer([[key.id, secret] for key, secret in keys])
        else:
            actions.set_key_status(find.api_key(argument), "archived", actor=actor)
            _answer(time.time())


def _answer(value: object) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
