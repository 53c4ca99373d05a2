"""What can go wrong with keys and their owners. None of these ever carries a secret."""


class InvalidKey(Exception):
    """Not a key that may be used now. `reason` is for counters and logs; callers all get the same answer.

    `malformed` and `unknown` may be guesses and are counted against the address; `inactive`, `archived` (or owned by
    something archived) and `expired` are a client that has not been told yet.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeyStoreUnavailable(Exception):
    """The database cannot be asked and nothing recent enough is remembered. Ours to answer for: 503, never 401."""


class TooManyBadKeys(Exception):
    """This address has sent too many bad keys lately."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"too many bad keys; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class NotFound(Exception):
    """No such thing, or it belongs to somebody else: the two are never told apart."""


class ChangeRefused(Exception):
    """The state of things forbids this change; the text says why, to a person. `code` is stable."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
