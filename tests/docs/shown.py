"""Comparing what a page shows with what really came. Pure.

Ids, secrets, dates and times differ from run to run; an `…` in the page stands for whatever is there.
"""

import re

_CHANGING = (
    (re.compile(r"sk-toll-(api|admin)01-(?:\w{49}|…)"), r"<\1 key>"),
    (re.compile(r"\b(req|msg|apikey|wrkspc|user)_\w{20,}"), r"<\1>"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"/signin/[\w-]{43}"), "/signin/<token>"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "<date>"),
    (re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?"), "<time>"),
)


def steady(text: str) -> str:
    """The text with everything replaced that no two runs have in common."""
    for pattern, replacement in _CHANGING:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def differs(shown: str, came: str) -> str:
    """Empty when `came` is what is `shown`; else both, for a person to look at."""
    pattern = ".*?".join(re.escape(part) for part in steady(shown).split("…"))
    if re.fullmatch(pattern, steady(came), re.DOTALL):
        return ""
    return f"shown:\n{steady(shown)}\n\ncame:\n{steady(came)}"
