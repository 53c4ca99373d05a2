"""Query parameters of the reports: what each may hold, read in the three spellings of lists. No Django, no clock.

Each parameter describes itself for the OpenAPI page too, so that the page cannot say anything else than the code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Query = Mapping[str, Sequence[str]]
"""Each name with all its values, as they stand in the address."""


class BadParameter(ValueError):
    """A value that cannot be used; the text is ready for the client."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts: `name[]=a&name[]=b`, `name=a&name=b` and `name=a,b` are the same. `choices` empty: any text."""

    name: str
    choices: tuple[str, ...] = ()
    description: str = ""

    def read(self, query: Query) -> list[str]:
        """The values, each once, in order. Empty when the parameter is absent."""
        given = [*query.get(f"{self.name}[]", ()), *query.get(self.name, ())]
        values = list(dict.fromkeys(value for text in given for value in text.split(",") if value))
        for place, value in enumerate(values):
            if self.choices and value not in self.choices:
                raise BadParameter(f"{self.name}.{place}: Input should be {_either(self.choices)}")
            if "\0" in value:  # which PostgreSQL cannot hold
                raise BadParameter(f"{self.name}.{place}: Input should be a valid string")
        return values

    def schema(self) -> dict[str, Any]:
        items: dict[str, Any] = {"type": "string"}
        return {"type": "array", "items": items | ({"enum": list(self.choices)} if self.choices else {})}

    @property
    def wire_name(self) -> str:
        return f"{self.name}[]"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `choices`; the first is the default."""

    name: str
    choices: tuple[str, ...]
    description: str = ""

    def read(self, query: Query) -> str:
        value = read_text(query, self.name)
        if value is None:
            return self.choices[0]
        if value not in self.choices:
            raise BadParameter(f"{self.name}: Input should be {_either(self.choices)}")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.choices), "default": self.choices[0]}

    @property
    def wire_name(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in RFC 3339. A day stands for its midnight, and no offset for UTC."""

    name: str
    description: str = ""

    def required(self, query: Query) -> datetime:
        found = self.read(query)
        if found is None:
            raise BadParameter(f"{self.name}: Field required")
        return found

    def read(self, query: Query) -> datetime | None:
        text = read_text(query, self.name)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped "+02:00" arrives as a space
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise BadParameter(f"{self.name}: Input should be a valid datetime") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}

    @property
    def wire_name(self) -> str:
        return self.name


def read_limit(query: Query, *, default: int, largest: int) -> int:
    """How many buckets one page holds: 1 to `largest`."""
    text = read_text(query, "limit")
    if text is None:
        return default
    try:
        limit = int(text)
    except ValueError:
        message = "limit: Input should be a valid integer, unable to parse string as an integer"
        raise BadParameter(message) from None
    if limit < 1:
        raise BadParameter("limit: Input should be greater than or equal to 1")
    if limit > largest:
        raise BadParameter(f"limit: Input should be less than or equal to {largest}")
    return limit


def read_flag(query: Query, name: str) -> bool:
    """False unless it says `true`."""
    text = (read_text(query, name) or "false").lower()
    if text not in {"true", "false", "1", "0"}:
        raise BadParameter(f"{name}: Input should be a valid boolean, unable to interpret input")
    return text in {"true", "1"}


def read_text(query: Query, name: str) -> str | None:
    """The last value that is not empty."""
    values = [value for value in query.get(name, ()) if value]
    return values[-1] if values else None


def _either(choices: Sequence[str]) -> str:
    """`'a', 'b' or 'c'`, as pydantic puts it."""
    quoted = [f"'{choice}'" for choice in choices]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]
