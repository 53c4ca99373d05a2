"""A process that asks an authenticator for the same keys again and again, as a busy worker does.

Reads secrets from stdin, one a line, until an empty one. Says "ready" when it has let all of them in once; at the end
of stdin says, as JSON, when it let each in for the last time (epoch seconds). Every 50 ms it takes what it knows for
stale, so that refills race whatever happens.
"""

import asyncio
import json
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402

STALE_SECONDS = 0.05


async def hammer(secrets: list[str]) -> dict[str, float]:
    from apikeys.authentication import Authenticator
    from apikeys.notifications import Listener

    listener = Listener()
    authenticator = Authenticator(listener)
    await listener.start()
    await authenticator.start()
    while not listener.is_listening:
        await asyncio.sleep(0.01)
    last = dict.fromkeys(secrets, 0.0)
    stopped = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    is_ready = False
    while not stopped.done():
        until = time.monotonic() + STALE_SECONDS
        while time.monotonic() < until:
            for secret in secrets:
                if await _is_let_in(authenticator, secret):
                    last[secret] = time.time()
            await asyncio.sleep(0.002)
        if not is_ready and all(last.values()):
            is_ready = True
            print("ready", flush=True)
        for entry in authenticator._known.entries.values():
            entry.fresh_until = 0.0
    await authenticator.stop()
    await listener.stop()
    return last


async def _is_let_in(authenticator, secret: str) -> bool:
    from apikeys.errors import InvalidKey

    if authenticator.cached(secret, time.time()) is not None:
        return True
    try:
        await authenticator.authenticate(secret, "192.0.2.1")
    except InvalidKey:
        return False
    return True


if __name__ == "__main__":
    import uvloop

    django.setup()
    wanted = list(iter(lambda: sys.stdin.readline().strip(), ""))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(hammer(wanted))), flush=True)
