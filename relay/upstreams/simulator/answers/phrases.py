"""Finding in a question what a tool wants to know: a place, a sum, an address."""

import re

_LONGEST = 200

_CHINESE_OPENING = re.compile(
    r"^(?:请问|请|帮我|麻烦|我想知道|我想|告诉我|查询|查一下|查|看看|看一下|今天|明天|后天|昨天|现在|今日|明日|一下|在)+"
)
_CHINESE_PLACE = re.compile(
    r"^([\u4e00-\u9fff]{2,8}?)(?:市)?(?:今天|明天|后天|昨天|现在|今日|明日|的|の|天气|天気|几点|气温|温度|在哪|怎么)"
)
_PLACE = re.compile(
    r"\b(?:in|at|for|near|from|to|en|à|em|nach|aus)\s+([A-ZÀ-Þ][\w.'’-]*(?:,?\s+[A-ZÀ-Þ][\w.'’-]*)*)"  # noqa: RUF001
)
_NAME = re.compile(r"(?<=\s)[A-ZÀ-Þ][\w'-]+(?:\s+[A-ZÀ-Þ][\w'-]+)*")
_SUM = re.compile(r"\(*-?\d[\d.]*\)*(?:\s*(?:\*\*|[-+*/^%])\s*\(*-?\d[\d.]*\)*)+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_QUOTED = re.compile('["“「『]([^"”」』]{1,200})["”」』]')
_URL = re.compile(r"https?://[^\s\"'<>，。）)]+")  # noqa: RUF001
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")

_OPERATORS = {
    " times ": " * ",
    " multiplied by ": " * ",
    " plus ": " + ",
    " minus ": " - ",
    " divided by ": " / ",
    "乘以": " * ",
    "除以": " / ",
    "加上": " + ",
    "减去": " - ",
    "×": "*",  # noqa: RUF001
    "÷": "/",
}
_PLACES = ("city", "location", "place", "town", "destination", "origin", "country", "region")
_SUMS = ("expression", "formula", "equation", "calculation")


def for_property(name: str, question: str) -> str:
    """A text for the property `name`: what the question says of it, else the question itself."""
    lowered = name.lower()
    if any(word in lowered for word in _PLACES):
        return place(question)
    if any(word in lowered for word in _SUMS):
        return arithmetic(question) or _short(question)
    if "url" in lowered or "link" in lowered:
        return address(question)
    if "mail" in lowered:
        return mail(question)
    quoted = _QUOTED.search(question)
    return quoted[1] if quoted else _short(question)


def place(question: str) -> str:
    """北京 in 北京今天天气怎么样？, San Francisco in `What's it like in San Francisco?`."""  # noqa: RUF002
    if found := _CHINESE_PLACE.match(_CHINESE_OPENING.sub("", question)):
        return found[1]
    if found := _PLACE.search(question):
        return found[1].rstrip(".,'")
    found = _NAME.search(question)
    return found[0] if found else _short(question)


def arithmetic(question: str) -> str:
    """`15 * 7` in `What is 15 times 7?`, empty when there is no sum."""
    for word, operator in _OPERATORS.items():
        question = question.replace(word, operator)
    found = _SUM.search(question)
    return found[0].rstrip(".") if found else ""


def number(question: str) -> float | None:
    """The first number."""
    found = _NUMBER.search(question)
    return float(found[0]) if found else None


def address(question: str) -> str:
    found = _URL.search(question)
    return found[0].rstrip(".,") if found else "https://example.com/"


def mail(question: str) -> str:
    found = _EMAIL.search(question)
    return found[0].rstrip(".") if found else "someone@example.com"


def _short(question: str) -> str:
    return " ".join(question.split())[:_LONGEST] or "example"
