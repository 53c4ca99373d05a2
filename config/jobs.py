"""The jobs process: ships the journal to the ledger and keeps the tables in order."""

import asyncio
import signal

import django

from config.parent import on_parents_end


async def work() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    on_parents_end(stop.set)
    await stop.wait()


def main() -> None:
    django.setup(set_prefix=False)
    asyncio.run(work())


if __name__ == "__main__":
    main()
