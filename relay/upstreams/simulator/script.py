"""What a caller asks the simulator to do wrong, or slowly: read from `name=value; flag` text. See the package."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from relay.upstreams.simulator.refusals import Refusal

HEADERS = ("x-tollgate-simulator-fault", "x-tollgate-simulator-pace")
USER_ID_PREFIX = "simulator:"
_BREAK = re.compile(r"(end|cut|reset|stall|error|malformed|unknown|comment|unnamed)-after-(events|bytes)")
_BYTE_VERBS = frozenset({"cut", "reset", "stall"})
_USAGES = frozenset({"missing", "null", "decreasing", "negative", "text", "huge"})
_STOPS = frozenset({"refusal", "pause_turn"})
_HARMLESS = frozenset({"stall", "comment", "unknown"})


@dataclass(frozen=True, slots=True)
class Break:
    """Something that happens once `at` events or bytes of the body are written."""

    verb: str
    unit: str
    at: int
    argument: str = ""

    @property
    def seconds(self) -> float:
        return float(self.argument or 0)


@dataclass(frozen=True, slots=True)
class Script:
    """All options, with the defaults of an undisturbed answer."""

    status: int = 0
    type: str = ""
    message: str = ""
    code: str = ""
    retry_after: str = ""
    html: bool = False
    stall_before_headers: float = 0.0
    reset_before_headers: bool = False
    reset_after_headers: bool = False
    usage: str = ""
    malformed: bool = False
    crlf: bool = False
    long_line: int = 0
    events_per_second: float = 0.0
    events_per_write: int = 1
    chunk: int = 0
    chunk_pause: float = 0.0
    tokens_per_event: int = 4
    output_tokens: int = 0
    stop_reason: str = ""
    breaks: tuple[Break, ...] = ()

    @property
    def replaces_answer(self) -> bool:
        """The answer is not a message at all."""
        return bool(self.status or self.html)

    @property
    def spoils(self) -> bool:
        """The answer arrives, but cannot be trusted."""
        return bool(self.usage or self.malformed) or any(each.verb not in _HARMLESS for each in self.breaks)


_DEFAULT = Script()
_TYPES = {field.name: type(getattr(_DEFAULT, field.name)) for field in fields(Script)}


def from_headers(headers: Mapping[str, str], *, otherwise: Script) -> Script:
    """The script in the request headers on top of `otherwise`."""
    for name in HEADERS:
        if text := headers.get(name):
            otherwise = _extended(otherwise, text)
    return otherwise


def from_user_id(body: Any, *, otherwise: Script) -> Script:
    """The script in `metadata.user_id`, for clients that cannot send headers."""
    metadata = body.get("metadata") if isinstance(body, dict) else None
    user_id = metadata.get("user_id") if isinstance(metadata, dict) else None
    if not isinstance(user_id, str) or not user_id.startswith(USER_ID_PREFIX):
        return otherwise
    return _extended(otherwise, user_id.removeprefix(USER_ID_PREFIX))


def parse(text: str) -> Script:
    """The script that `text` describes. Raises Refusal (400) for what it does not understand."""
    return _extended(_DEFAULT, text)


@lru_cache(maxsize=1024)
def _extended(script: Script, text: str) -> Script:
    for pair in filter(None, map(str.strip, text.split(";"))):
        name, _, value = (part.strip() for part in pair.partition("="))
        try:
            script = _with_option(script, name, value)
        except ValueError as error:
            raise Refusal(400, f"simulator script: {pair!r} is not understood ({error})") from error
    return script


def _with_option(script: Script, name: str, value: str) -> Script:
    if match := _BREAK.fullmatch(name):
        return replace(script, breaks=_sorted((*script.breaks, _read_break(match[1], match[2], value))))
    field = name.replace("-", "_")
    if field not in _TYPES or field == "breaks":
        raise ValueError("unknown name")
    return replace(script, **{field: _read_value(field, value)})


def _read_break(verb: str, unit: str, value: str) -> Break:
    at, _, argument = value.partition(":")
    if unit == "bytes" and verb not in _BYTE_VERBS:
        raise ValueError("only cut, reset and stall count bytes")
    if verb == "stall":
        float(argument)
    return Break(verb, unit, int(at), argument)


def _sorted(breaks: tuple[Break, ...]) -> tuple[Break, ...]:
    return tuple(sorted(breaks, key=lambda each: each.at))


def _read_value(field: str, value: str) -> Any:
    kind: Callable[[str], Any] = _TYPES[field]
    if kind is bool:
        if value not in ("", "true"):
            raise ValueError("it takes no value")
        return True
    if field in ("usage", "stop_reason") and value not in (_USAGES | _STOPS):
        raise ValueError("unknown kind")
    if not value:
        raise ValueError("it needs a value")
    return kind(value)
