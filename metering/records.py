"""What a process writes down about each request, and how those records look as bytes. No clock, no files.

A record's payload is a version byte, a type byte and a JSON array of its fields in the order declared here, in it the
charge as an array likewise. Fields are only ever appended, with a default: an older, shorter array still reads, and so
does a newer, longer one.
Times are integers of microseconds since the epoch, tokens are integers, money is integer pico-dollars.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

import orjson

from metering.pricing import Charge

VERSION = 1

MAX_PAYLOAD_BYTES = 20_480
"""No payload is larger, whatever an upstream or a client puts into it: so the room of an END can be set aside."""

PAYLOAD_START = re.compile(rb"[\x01-\x1f][A-Z]\[")
"""How every payload begins, of this version or a later one."""

_NUL = rb"\u0000"
_LONGEST_TEXT_BYTES = 256
_LARGEST_OBJECT_BYTES = 7_000
_DEEPEST = 20
_INT64 = 1 << 63
_NO_CONTROLS = dict.fromkeys([*range(32), 127], " ")

COMPLETED = "completed"
CLIENT_CLOSED = "client_closed"
UPSTREAM_ERROR = "upstream_error"
INTERRUPTED = "interrupted"
REFUSED = "refused"


class BadRecord(ValueError):
    """A payload whose checksum holds but which is not a record of this version."""


@dataclass(slots=True, kw_only=True)
class Begin:
    """A request was admitted. On disk before its first byte goes upstream; it is attempt 1 of the request."""

    request_id: str
    attempt: int = 1
    started_at_us: int
    organization_id: str
    workspace_id: str | None
    api_key_id: str | None
    account_id: str | None = None
    endpoint: str
    requested_model: str
    model: str
    upstream: str
    is_stream: bool
    is_simulated: bool
    input_estimate: int
    scopes: list[str] = field(default_factory=list)
    """The purses ("scope period") in which money is held for it."""
    client_retry_count: int = 0
    user_agent: str = ""
    holder: str | None = None
    """Who holds it there."""


@dataclass(slots=True, kw_only=True)
class Sent:
    """A further attempt of the same request goes to `upstream`."""

    request_id: str
    attempt: int
    at_us: int
    upstream: str
    model: str


@dataclass(slots=True, kw_only=True)
class Progress:
    """What an attempt has used so far, cumulative: raw `usage` as seen, and the output tokens we guess beyond it."""

    request_id: str
    attempt: int
    usage: Mapping[str, Any] | None
    output_estimate: int = 0
    message_id: str = ""
    model: str = ""
    upstream_request_id: str = ""
    first_byte_us: int | None = None


@dataclass(slots=True, kw_only=True)
class End:
    """An attempt is over. Exactly one END of a request is final. `first_byte_us` and `duration_us` count from BEGIN."""

    request_id: str
    attempt: int
    is_final: bool
    outcome: str
    reason: str = ""
    status: int
    error_type: str = ""
    stop_reason: str = ""
    model: str
    upstream_request_id: str = ""
    message_id: str = ""
    usage: Mapping[str, Any] | None = None
    is_estimated: bool = False
    charge: Charge
    first_byte_us: int | None = None
    duration_us: int | None


@dataclass(slots=True, kw_only=True)
class Refused:
    """A request that we refused ourselves, or `count` of them, from `request_id` to `last_request_id`."""

    request_id: str
    last_request_id: str = ""
    count: int = 1
    at_us: int
    organization_id: str
    workspace_id: str | None
    api_key_id: str | None
    endpoint: str
    requested_model: str = ""
    model: str = ""
    reason: str
    status: int
    error_type: str
    is_stream: bool = False
    user_agent: str = ""


Record = Begin | Sent | Progress | End | Refused

_LETTERS: dict[type[Record], str] = {Begin: "B", Sent: "S", Progress: "P", End: "E", Refused: "R"}
_NAMES = {kind: tuple(each.name for each in fields(kind)) for kind in _LETTERS}
_HEADS = {kind: bytes([VERSION]) + letter.encode() for kind, letter in _LETTERS.items()}
_KINDS = {head: kind for kind, head in _HEADS.items()}
_VALUES: dict[type[Record], Callable[[Any], tuple[Any, ...]]] = {
    kind: attrgetter(*names) for kind, names in _NAMES.items()
}

_CHARGE_NAMES = tuple(each.name for each in fields(Charge))
_CHARGE_PLACE = _NAMES[End].index("charge")
_charge_values: Callable[[Charge], tuple[Any, ...]] = attrgetter(*_CHARGE_NAMES)


def encode(record: Record) -> bytes:
    """The payload of a record, at most MAX_PAYLOAD_BYTES. Never fails: what cannot be written is cut or cleaned."""
    kind = type(record)
    values = _VALUES[kind](record)
    if isinstance(record, End):
        values = (*values[:_CHARGE_PLACE], _charge_values(record.charge), *values[_CHARGE_PLACE + 1 :])
    try:
        payload = _HEADS[kind] + orjson.dumps(values)
    except TypeError:  # a lone surrogate, an integer beyond 64 bits, an object nested too deeply
        return _encode_fitted(kind, values)
    return payload if len(payload) <= MAX_PAYLOAD_BYTES else _encode_fitted(kind, values)


def decode(payload: bytes) -> Record:
    """The record of a payload. BadRecord when it is none of ours, or of a version that we do not know."""
    kind = _KINDS.get(payload[:2])
    if kind is None:
        raise BadRecord(f"unknown version and type {payload[:2]!r}")
    try:
        values = orjson.loads(payload[2:])
        if _NUL in payload:  # in JSON it may stand, in PostgreSQL it may not
            values = [_fitted(value) for value in values]
        if kind is End:
            values[_CHARGE_PLACE] = Charge(*values[_CHARGE_PLACE][: len(_CHARGE_NAMES)])
        return kind(**dict(zip(_NAMES[kind], values, strict=False)))
    except (orjson.JSONDecodeError, TypeError, LookupError) as error:
        raise BadRecord(f"{kind.__name__}: {error}") from error


def _encode_fitted(kind: type[Record], values: tuple[Any, ...]) -> bytes:
    return _HEADS[kind] + orjson.dumps([_fitted(value) for value in values])


def _fitted(value: Any) -> Any:
    """The same value, cut so that a whole record of such values fits: short texts, objects without large members."""
    if isinstance(value, Mapping):
        return _fitted_members(value)
    return _cleaned_or_none(value)


def _fitted_members(members: Mapping[str, Any]) -> dict[str, Any]:
    """As many members as fit, the small ones first: the counts that carry the price are small."""
    cleaned = {clean_text(str(name)): _cleaned_or_none(value) for name, value in members.items()}
    sizes = {name: len(orjson.dumps({name: value})) for name, value in cleaned.items()}
    kept: dict[str, Any] = {}
    room = _LARGEST_OBJECT_BYTES
    for name in sorted(cleaned, key=sizes.__getitem__):
        room -= sizes[name]
        if room < 0:
            break
        kept[name] = cleaned[name]
    return kept


def _cleaned_or_none(value: Any) -> Any:
    """A value that JSON and a record can hold, or None."""
    cleaned = _cleaned(value, _DEEPEST)
    return cleaned if len(orjson.dumps(cleaned)) <= _LARGEST_OBJECT_BYTES else None


def _cleaned(value: Any, depth: int) -> Any:
    if depth == 0:
        return None
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean_text(str(name)): _cleaned(each, depth - 1) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(each, depth - 1) for each in value]
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else hex(value)[:_LONGEST_TEXT_BYTES]
    return value if value is None or isinstance(value, float) else None


def clean_text(text: str) -> str:
    """At most 256 bytes of it, without what UTF-8, JSON or PostgreSQL cannot hold as it stands."""
    printable = text[:_LONGEST_TEXT_BYTES].translate(_NO_CONTROLS)
    return printable.encode("utf-8", "replace")[:_LONGEST_TEXT_BYTES].decode("utf-8", "ignore")
