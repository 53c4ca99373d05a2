"""The requests that a worker runs, by scope, and what the centre was told of them. Pure."""

from collections.abc import Iterable


class Slots:
    """Running requests are counted in every scope, so that a concurrency limit that comes later finds them."""

    __slots__ = ("_told", "limits", "running")

    def __init__(self) -> None:
        self.running: dict[str, int] = {}
        self.limits: dict[str, int] = {}
        """Concurrency limits by scope, as of the version that this worker knows."""
        self._told: dict[str, int | None] = {}
        """What the centre has for this worker; None where it is not known whether it heard the last word."""

    def enter(self, scopes: Iterable[str]) -> None:
        running = self.running
        for scope in scopes:
            running[scope] = running.get(scope, 0) + 1

    def leave(self, scopes: Iterable[str]) -> None:
        running = self.running
        for scope in scopes:
            left = running.get(scope, 0) - 1
            if left > 0:
                running[scope] = left
            else:
                running.pop(scope, None)

    def news(self) -> dict[str, int]:
        """The absolute numbers that the centre does not have, of scopes with a limit or with a doubt."""
        running, told = self.running, self._told
        news = {scope: running.get(scope, 0) for scope in self.limits if told.get(scope, 0) != running.get(scope, 0)}
        if told:
            news.update((scope, running.get(scope, 0)) for scope, count in told.items() if count is None)
        return news

    def declared(self) -> dict[str, int]:
        """All that the centre should have: a heartbeat repeats it."""
        return {scope: count for scope, count in self._told.items() if count}

    def sent(self, news: dict[str, int]) -> None:
        """Until the answer is here nobody knows what the centre has for these."""
        self._told.update(dict.fromkeys(news, None))

    def heard(self, news: dict[str, int], granted: Iterable[str]) -> None:
        """The centre has `news`, and one more for each scope in `granted`."""
        told = self._told
        told.update(news)
        for scope in granted:
            if scope in self.limits:
                told[scope] = (told.get(scope) or 0) + 1

    def lost(self, scopes: Iterable[str]) -> None:
        """No answer came to a draw that asked for these, whether a limit was known for them or not."""
        self._told.update(dict.fromkeys(scopes, None))
