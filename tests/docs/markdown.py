"""What our tests read in a page: its fenced blocks, its links, its headings. Pure: text in."""

import re
from dataclasses import dataclass

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!\\)\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(?P<text>.+?) *$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; `line` is the line of its opening fence, from 1."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    return [
        Block(found["language"], found["text"], page.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(page)
    ]


def prose(page: str) -> str:
    """The page without its fenced blocks: brackets in code are no links."""
    return _FENCE.sub("", page)


def links(page: str) -> list[str]:
    """Targets of links and pictures, as they are written."""
    return [found["target"] for found in _LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(page)))]


def anchors(page: str) -> set[str]:
    """What `#...` may name: headings, spelled as code hosts spell them."""
    return {_slug(found["text"]) for found in _HEADING.finditer(prose(page))}


def _slug(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return kept.replace(" ", "-")
