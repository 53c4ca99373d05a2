"""A value that fits a JSON schema, filled from the question: the input of a tool call, or a structured answer."""

import re
from typing import Any

from relay.upstreams.simulator.answers import phrases

_DEEPEST = 12
_DATES = {
    "date": "2026-01-02",
    "date-time": "2026-01-02T03:04:05Z",
    "time": "03:04:05Z",
    "duration": "PT1H",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}
_PATTERN_TRIES = (
    "example",
    "Example",
    "EXAMPLE",
    "a",
    "A",
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "A1",
    "AB",
    "ABC",
    "ab-1",
)


def sample(schema: Any, question: str) -> Any:
    """Deterministic: the same schema and question give the same value.

    Unsupported: `not`, `if`, `dependentSchemas`, and patterns beyond simple words and digits.
    """
    return _Sampler(schema, question).value(schema, "", 0)


class _Sampler:
    """Walks one schema; `#/…` references are looked up in its root."""

    def __init__(self, root: Any, question: str) -> None:
        self._root = root
        self._question = question

    def value(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return self._question if schema is True else None
        if "$ref" in schema:
            return self.value(self._resolved(schema["$ref"]), name, depth + 1)
        for given in ("const", "default"):
            if given in schema:
                return schema[given]
        if schema.get("enum"):
            return self._choice(schema["enum"])
        if schema.get("examples"):
            return schema["examples"][0]
        if chosen := self._combined(schema):
            return self.value(chosen, name, depth + 1)
        return self._of_type(_type_of(schema), schema, name, depth)

    def _of_type(self, kind: str, schema: dict[str, Any], name: str, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "number" | "integer":
                return self._number(schema, whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
        return self._string(schema, name)

    def _resolved(self, reference: str) -> Any:
        found = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) and step else found
        return found

    def _choice(self, options: list[Any]) -> Any:
        """The option that the question names, else the first."""
        lowered = self._question.lower()
        named = (option for option in options if isinstance(option, str) and option and option.lower() in lowered)
        return next(named, options[0])

    def _combined(self, schema: dict[str, Any]) -> dict[str, Any] | None:
        """`anyOf` and `oneOf`: the first that is not null; `allOf`: all of them laid over each other."""
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf", "allOf")}
        for options in (schema.get("anyOf"), schema.get("oneOf")):
            if options:
                chosen = next((option for option in options if option != {"type": "null"}), options[0])
                return {**rest, **(self._plain(chosen))}
        if not schema.get("allOf"):
            return None
        for part in map(self._plain, schema["allOf"]):
            properties = {**rest.get("properties", {}), **part.get("properties", {})}
            required = [*rest.get("required", []), *part.get("required", [])]
            rest = {**rest, **part, "properties": properties, "required": required}
        return rest

    def _plain(self, schema: Any) -> dict[str, Any]:
        if isinstance(schema, dict) and "$ref" in schema:
            schema = self._resolved(schema["$ref"])
        return schema if isinstance(schema, dict) else {}

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """The required properties; all of them where none is required, but not too deep."""
        properties = schema.get("properties") or {}
        names = list(dict.fromkeys(schema.get("required") or (properties if depth < _DEEPEST // 2 else ())))
        return {name: self.value(properties.get(name, {}), name, depth + 1) for name in names}

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        first = [self.value(each, name, depth + 1) for each in schema.get("prefixItems") or ()]
        wanted = max(schema.get("minItems", 0), min(1, schema.get("maxItems", 1)))
        missing = max(0, wanted - len(first)) if depth < _DEEPEST // 2 or schema.get("minItems") else 0
        return first + [self.value(schema.get("items", {}), name, depth + 1) for _ in range(missing)]

    def _number(self, schema: dict[str, Any], *, whole: bool) -> int | float:
        value = phrases.number(self._question) or 1
        step = schema.get("multipleOf") or 1
        if "exclusiveMinimum" in schema:
            value = max(value, schema["exclusiveMinimum"] + step)
        if "exclusiveMaximum" in schema:
            value = min(value, schema["exclusiveMaximum"] - step)
        value = min(max(value, schema.get("minimum", value)), schema.get("maximum", value))
        if "multipleOf" in schema:
            value = -(-schema.get("minimum", value) // step) * step if value % step else value
        return int(value) if whole or float(value).is_integer() else value

    def _string(self, schema: dict[str, Any], name: str) -> str:
        kind = schema.get("format", "")
        if kind in _DATES:
            return _DATES[kind]
        if kind in ("uri", "email"):
            return phrases.address(self._question) if kind == "uri" else phrases.mail(self._question)
        text = phrases.for_property(name, self._question)
        if "pattern" in schema:
            text = _matching(schema["pattern"], text)
        return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _type_of(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _matching(pattern: str, text: str) -> str:
    try:
        return next((each for each in (text, *_PATTERN_TRIES) if re.search(pattern, each)), text)
    except re.error:
        return text
