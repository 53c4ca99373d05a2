"""Examples in the pages: commands that the parser takes, and outputs of the shape that really comes."""

import contextlib
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from config.cli import build_parser
from relay import errors
from tests.docs.markdown import blocks
from tests.docs.test_pages import pages
from tests.gateway import Gateway

ROOT = Path(__file__).resolve().parent.parent.parent
_COMMAND = re.compile(r"(?:^|\$\()\./tollgate ([^\n)]*)", re.MULTILINE)


def shown_commands() -> list[tuple[str, str]]:
    """(page, arguments) of each command line in a shell block."""
    return [
        (page.name, arguments)
        for page in pages()
        for block in blocks(page.read_text())
        if block.language == "sh"
        for arguments in _COMMAND.findall(block.text)
    ]


def shown(page: str, language: str, containing: str) -> str:
    found = [block.text for block in blocks((ROOT / page).read_text()) if block.language == language]
    return next(text for text in found if containing in text)


@pytest.mark.parametrize(("page", "arguments"), shown_commands())
def test_a_shown_command_line_is_understood(page: str, arguments: str) -> None:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        options, rest = build_parser().parse_known_args(shlex.split(arguments))

        assert not rest or getattr(options, "passes_rest", False), f"{page}: {rest}"
        assert hasattr(options, "run"), f"{page}: {arguments}"
    assert said.getvalue() == "", page


@pytest.mark.parametrize("command", ["key list", "org list"])
def test_a_shown_table_has_the_columns_that_come(shared_gateway: Gateway, command: str) -> None:
    came = shared_gateway.command(*command.split()).stdout.splitlines()[0]
    tables = [block.text for block in blocks((ROOT / "docs/commands.md").read_text()) if block.language == "text"]

    assert came.split() in [table.splitlines()[0].split() for table in tables]


def test_the_shown_usage_has_the_fields_that_come(shared_gateway: Gateway) -> None:
    example = json.loads(shown("docs/reports.md", "json", "backlog"))

    came = json.loads(shared_gateway.command("usage", "--organization", "My organization", "--json").stdout)

    assert list(came) == list(example)
    assert set(came["total"]) >= set(example["total"]) - {"..."}
    assert set(example["rows"][0]) == {"workspace", "api_key", "model"} | set(came["total"])


def test_the_shown_error_looks_as_ours_do() -> None:
    example: dict[str, Any] = json.loads(shown("docs/errors.md", "json", "request_id"))

    ours = json.loads(errors.model_unknown("gpt-4").body(example["request_id"]))

    assert ours == example
