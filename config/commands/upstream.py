"""`tollgate upstream`: where requests may go."""

import argparse
import sys
from pathlib import Path

from config.failures import Failure


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("upstream", help="add, list and test upstreams")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_add(verbs)
    _add_list(verbs)
    _add_test(verbs)
    _add_switch(verbs, "enable", "put an upstream into use", enabled=True)
    _add_switch(verbs, "disable", "take an upstream out of use", enabled=False)


def _add_add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = verbs.add_parser("add", help="add one; it becomes the first choice for the models it serves")
    add.add_argument("kind", choices=["anthropic", "simulator"], help="anthropic: whatever speaks the Messages API")
    add.add_argument("--name", required=True, help="how usage rows and commands call it")
    add.add_argument("--base-url", default="", metavar="U", help="the address in front of /v1")
    add.add_argument("--credential-file", type=Path, metavar="F", help="a file with the API key; - reads it from stdin")
    add.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="PATTERN",
        help="a model name it serves, or a pattern such as 'claude-*' (may be repeated)",
    )
    add.set_defaults(run=_add, needs_database=True)


def _add_list(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verbs.add_parser("list", help="all of them, first choice first").set_defaults(run=_list, needs_database=True)


def _add_test(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    test = verbs.add_parser("test", help="ask one for its models, or for one token of a model")
    test.add_argument("name")
    test.add_argument("--model", default="", metavar="NAME", help="send a message of one token, which may cost money")
    test.set_defaults(run=_test, needs_database=True)


def _add_switch(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", verb: str, help_: str, *, enabled: bool
) -> None:
    switch = verbs.add_parser(verb, help=help_)
    switch.add_argument("name")
    switch.set_defaults(run=_switch, enabled=enabled, needs_database=True)


def _add(options: argparse.Namespace) -> int:
    from apikeys.audit import Actor
    from apikeys.errors import ChangeRefused
    from relay import actions

    try:
        upstream = actions.add_upstream(
            options.kind,
            options.name,
            base_url=options.base_url,
            credential=_read_credential(options.credential_file),
            model_patterns=options.model,
            actor=Actor.command_line(),
        )
    except ChangeRefused as refused:
        raise Failure(refused.message) from None
    print(f"{upstream.name}: {', '.join(upstream.model_patterns)} at {upstream.base_url}")
    return 0


def _read_credential(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
    except OSError as error:
        raise Failure(f"cannot read the credential: {error}") from None
    if not text.strip():
        raise Failure(f"{path} holds no credential")
    return text.strip()


def _list(_: argparse.Namespace) -> int:
    from relay.models import Upstream

    for upstream in Upstream.objects.all():
        notes = ["credential" if upstream.credential else "no credential"]
        if not upstream.is_enabled:
            notes.append("disabled")
        if upstream.refused_at:
            notes.append(f"refused our account at {upstream.refused_at:%Y-%m-%d %H:%M} UTC: {upstream.refusal}")
        models = ",".join(upstream.model_patterns)
        print(f"{upstream.name}\t{upstream.kind}\t{upstream.base_url}\t{models}\t{'; '.join(notes)}")
    return 0


def _test(options: argparse.Namespace) -> int:
    from apikeys.errors import NotFound
    from relay import actions, trial

    try:
        upstream = actions.find(options.name)
        told = trial.send_message(upstream, options.model) if options.model else trial.list_models(upstream)
    except (NotFound, trial.TrialFailed) as failed:
        raise Failure(f"{options.name}: {failed}") from None
    print(f"{upstream.name} {told}")
    return 0


def _switch(options: argparse.Namespace) -> int:
    from apikeys.audit import Actor
    from apikeys.errors import NotFound
    from relay import actions

    try:
        upstream = actions.set_enabled(options.name, enabled=options.enabled, actor=Actor.command_line())
    except NotFound as missing:
        raise Failure(str(missing)) from None
    print(f"{upstream.name} is {'in use' if upstream.is_enabled else 'out of use'}")
    return 0
