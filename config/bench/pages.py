"""Somebody looks at the console while the relay works: its rooms, one after another, at a steady pace."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from itertools import cycle

import httpx

from config.failures import Failure

PAGES_PER_SECOND = 2
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_RAIL = re.compile(r'<nav class="rail".*?</nav>', re.DOTALL)
_LINK = re.compile(r'href="(/[^"?#]*)"')


class Pages:
    """A signed-in browser without a screen."""

    def __init__(self, client: httpx.Client, rooms: list[str]) -> None:
        self.client = client
        self.rooms = rooms
        self.seen = 0
        self.problem: str | None = None

    @contextlib.contextmanager
    def asked_for(self) -> Iterator[None]:
        """Two pages a second in the block; a page that fails is a failure of the benchmark."""
        done = threading.Event()
        thread = threading.Thread(target=self._look, args=(done,), name="pages")
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        if self.problem:
            raise Failure(self.problem)

    def _look(self, done: threading.Event) -> None:
        next_page = time.monotonic()
        for room in cycle(self.rooms):
            if done.wait(max(0.0, next_page - time.monotonic())):
                return
            answer = self.client.get(room)
            self.seen += 1
            if answer.status_code != 200:
                self.problem = f"the console page {room} answered {answer.status_code}"
                return
            next_page += 1 / PAGES_PER_SECOND


def sign_in(link: str) -> Pages:
    """Use up a one-time sign-in link; the rooms are those that its first page's rail leads to."""
    client = httpx.Client(timeout=30, follow_redirects=True)
    form = client.get(link)
    token = _TOKEN.search(form.text)
    if token is None:
        raise Failure(f"the sign-in link answered {form.status_code} without its form")
    client.post(link, data={"csrfmiddlewaretoken": token.group(1)}, headers={"referer": link}).raise_for_status()
    address = httpx.URL(link)
    client.base_url = address.copy_with(raw_path=b"/")
    home = client.get("/")
    rooms = [room for nav in _RAIL.findall(home.text) for room in _LINK.findall(nav)]
    if home.status_code != 200 or not rooms:
        raise Failure(f"the console's first page answered {home.status_code} and leads nowhere")
    return Pages(client, list(dict.fromkeys(rooms)))
