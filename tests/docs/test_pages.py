"""All pages: links that lead somewhere, nothing of anybody's own machine, and every command and error described."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.cli import build_parser
from tests.docs.markdown import anchors, links

ROOT = Path(__file__).resolve().parent.parent.parent
FOREIGN = re.compile(r"/root/|/home/\w|/work/|/tmp/|/Users/|\bTODO\b|\bFIXME\b|—")
"""Paths of somebody's machine, things left to do, and the dash that joins what should be two sentences."""
REGISTRIES = re.compile(r"pypi\.org|pythonhosted|npmjs|deb\.debian|index-url", re.IGNORECASE)
OF_ITS_MAKING = re.compile(
    r"\bissue #?\d|\bthis (session|conversation)\b|\bthe brief\b|\bshared/|\bdesign\.md", re.IGNORECASE
)
"""A page speaks of Tollgate, not of how it came to be written."""
NEVER_RECORDED = {"upstream_down", "upstream_cut", "upstream_timed_out", "transport_error"}
"""The row keeps the transport's own word for these."""


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("static/**/*.md")]


def read(page: str) -> str:
    return (ROOT / page).read_text()


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in links(page.read_text())
        if not _leads_somewhere(page, target)
    ]

    assert broken == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix == ".md" and page.exists() and page not in reached:
            reached.add(page)
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text())]

    assert [
        str(page.relative_to(ROOT)) for page in pages() if (ROOT / "docs") in page.parents and page not in reached
    ] == []


@pytest.mark.parametrize("pattern", [FOREIGN, REGISTRIES, OF_ITS_MAKING])
def test_no_page_speaks_of_anything_but_tollgate(pattern: re.Pattern[str]) -> None:
    found = [
        f"{page.relative_to(ROOT)}:{number}: {line}"
        for page in pages()
        for number, line in enumerate(page.read_text().splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []


def test_every_command_and_option_is_described() -> None:
    page = read("docs/commands.md")

    assert [words for words in commands(build_parser()) if words not in page] == []


def test_every_error_of_ours_is_described() -> None:
    page = read("docs/errors.md")
    source = "\n".join(path.read_text() for path in (ROOT / "relay").glob("*.py"))
    reasons = set(re.findall(r"\breason=\"(\w+)\"", source))
    reasons |= set(re.findall(r"overloaded\(\"(\w+)\"", source))
    reasons |= set(re.findall(r"^    reason = \"(\w+)\"", source, re.MULTILINE))
    statuses = set(re.findall(r"ApiError\((\d+), \"([^\"]+)\"", source))

    assert sorted(reason for reason in reasons - NEVER_RECORDED if f"`{reason}`" not in page) == []
    assert sorted(pair for pair in statuses if not _on_one_line(page, *pair)) == []
    assert len(reasons) > 20


def test_every_outcome_is_described() -> None:
    from metering import records

    outcomes = {records.COMPLETED, records.CLIENT_CLOSED, records.UPSTREAM_ERROR, records.INTERRUPTED, records.REFUSED}

    assert sorted(outcome for outcome in outcomes if f"| `{outcome}` |" not in read("docs/request-path.md")) == []


def test_every_decision_is_in_the_list() -> None:
    listed = links(read("docs/decisions/README.md"))

    assert sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md") if path.name not in listed) == [
        "README.md"
    ]


def test_every_module_that_a_page_names_exists() -> None:
    named = [
        (page.name, name)
        for page in pages()
        for name in re.findall(
            r"`((?:apikeys|metering|relay|config|tests|templates|static)/[\w/]*[\w.]*)`", page.read_text()
        )
    ]

    assert [(page, name) for page, name in named if not (ROOT / name).exists()] == []


def commands(parser: argparse.ArgumentParser, words: str = "") -> Iterator[str]:
    """`key create` and `--expires-in`, of all commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield f"{words} {name}".strip()
                yield from commands(below, f"{words} {name}")
        else:
            yield from (option for option in action.option_strings if option.startswith("--"))


def _leads_somewhere(page: Path, target: str) -> bool:
    if re.match(r"\w+:", target):
        return target.startswith("https://")
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    return found.exists() and (not anchor or anchor in anchors(found.read_text()))


def _on_one_line(page: str, status: str, message: str) -> bool:
    return any(f"| {status} |" in line or f" {status} `" in line for line in page.splitlines() if message in line)
