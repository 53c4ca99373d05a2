"""Query parameters of the list endpoints: id cursors, and arrays in each spelling. Unknown ones are ignored."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from relay import errors

MOST_PARAMETERS = 100
_INTEGER = re.compile("[0-9]{1,9}")
"""Python refuses to read a number of thousands of digits."""


@dataclass(frozen=True, slots=True)
class Page:
    """An id cursor: at most `limit` items after `after_id` or before `before_id` (both exclusive)."""

    limit: int
    after_id: str = ""
    before_id: str = ""

    @property
    def is_backwards(self) -> bool:
        return bool(self.before_id)

    def bounds(self, ids: list[str]) -> tuple[int, int]:
        """The slice of `ids` that this page shows. Raises 400 for a cursor that is not among them."""
        if self.before_id:
            end = _position(ids, self.before_id, "before_id")
            return max(0, end - self.limit), end
        start = _position(ids, self.after_id, "after_id") + 1 if self.after_id else 0
        return start, min(len(ids), start + self.limit)


def parse_page(query: str) -> Page:
    """Raises 400 for a limit outside 1..1000 or for both cursors at once."""
    values = dict(_pairs(query))
    limit = values.get("limit", "20")
    if not _INTEGER.fullmatch(limit):
        raise errors.body_invalid("limit: Input should be a valid integer, unable to parse string as an integer")
    if not 1 <= int(limit) <= 1000:
        raise errors.body_invalid("limit: Input should be between 1 and 1000")
    page = Page(int(limit), values.get("after_id", ""), values.get("before_id", ""))
    if page.after_id and page.before_id:
        raise errors.body_invalid("Only one of before_id and after_id may be given")
    return page


def parse_values(query: str, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The values of `name[]=a&name[]=b`, `name=a&name=b` or `name=a,b`. Raises 400 for one that is not allowed."""
    found = [value for key, text in _pairs(query) if key in {name, f"{name}[]"} for value in text.split(",")]
    for value in found:
        if value not in allowed:
            expected = ", ".join(f"'{each}'" for each in allowed)
            raise errors.body_invalid(f"{name}: Input should be one of {expected}")
    return tuple(found)


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise errors.body_invalid("There are too many query parameters") from None


def _position(ids: list[str], wanted: str, name: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise errors.body_invalid(f"{name}: no such id in this list") from None
