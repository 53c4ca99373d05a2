"""What ends a command with one clear line on stderr instead of a traceback."""


class Failure(Exception):
    """The message says what is wrong and what to do about it. Exit code 1."""
