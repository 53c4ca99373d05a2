"""`tollgate signin-link`: a way into the console that works once."""

import argparse
import sys
from pathlib import Path

from config.failures import Failure

_DEFAULT_ADDRESS = "http://127.0.0.1:8000"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("signin-link", help="print a one-time link into the console")
    parser.add_argument(
        "--email", metavar="E", help="whose link (default: the first operator's); somebody new becomes an operator"
    )
    parser.set_defaults(run=run, needs_database=True)


def run(options: argparse.Namespace) -> int:
    from apikeys import actions, find
    from apikeys.errors import ChangeRefused, NotFound

    actor = actions.Actor.command_line()
    try:
        user = find.person(options.email) if options.email else actions.ensure_operator(actor=actor)
    except NotFound:
        try:
            user = actions.ensure_operator(options.email, actor=actor)
        except ChangeRefused as refused:
            raise Failure(refused.message) from None
        print(f"{user.email} is new here, and an operator now", file=sys.stderr)
    token = actions.create_signin_link(user, actor=actor)
    print(f"{_address(options.data)}/signin/{token}", flush=True)  # before what follows, also where both are one pipe
    print("works once, for 24 hours", file=sys.stderr)
    return 0


def _address(data: Path) -> str:
    """The public address, else the one of the running `up`, else where it would run."""
    from django.conf import settings

    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    try:
        return (data / "address").read_text().strip() or _DEFAULT_ADDRESS
    except FileNotFoundError:
        return _DEFAULT_ADDRESS
