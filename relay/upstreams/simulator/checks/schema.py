"""Checking JSON against a shape, in the words that the API answers with: `messages.0.role: Field required`.

A check takes a value and the dotted path to it, and raises Refusal (400) at the first thing that is wrong.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from relay.upstreams.simulator.refusals import invalid

Check = Callable[[Any, str], None]


def fail(path: str, message: str) -> NoReturn:
    invalid(f"{path}: {message}" if path else message)


def anything(value: Any, path: str) -> None:
    """Whatever it is."""


def string(value: Any, path: str) -> None:
    if not isinstance(value, str):
        fail(path, "Input should be a valid string")


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        fail(path, "Input should be a valid boolean")


def dictionary(value: Any, path: str) -> None:
    if not isinstance(value, dict):
        fail(path, "Input should be a valid dictionary")


def text(*, minimum: int = 0, maximum: int = 0, pattern: str = "") -> Check:
    """A string of a length between the two and of a pattern."""
    compiled = re.compile(pattern)

    def check(value: Any, path: str) -> None:
        string(value, path)
        if len(value) < minimum:
            fail(path, f"String should have at least {minimum} character{'s' * (minimum != 1)}")
        if maximum and len(value) > maximum:
            fail(path, f"String should have at most {maximum} characters")
        if pattern and not compiled.search(value):
            fail(path, f"String should match pattern '{pattern}'")

    return check


def integer(*, minimum: int | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            fail(path, "Input should be a valid integer")
        if minimum is not None and value < minimum:
            fail(path, f"Input should be greater than or equal to {minimum}")

    return check


def number(*, minimum: float, maximum: float | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            fail(path, "Input should be a valid number")
        if value < minimum:
            fail(path, f"Input should be greater than or equal to {minimum:g}")
        if maximum is not None and value > maximum:
            fail(path, f"Input should be less than or equal to {maximum:g}")

    return check


def literal(*options: str) -> Check:
    quoted = [f"'{option}'" for option in options]
    listed = " or ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in options:
            fail(path, f"Input should be {listed}")

    return check


def nullable(check: Check) -> Check:
    def check_unless_null(value: Any, path: str) -> None:
        if value is not None:
            check(value, path)

    return check_unless_null


def items(check: Check, *, maximum: int = 0) -> Check:
    """A list, each item checked."""

    def check_all(value: Any, path: str) -> None:
        if not isinstance(value, list):
            fail(path, "Input should be a valid list")
        if maximum and len(value) > maximum:
            fail(path, f"List should have at most {maximum} items after validation, not {len(value)}")
        for index, item in enumerate(value):
            check(item, f"{path}.{index}")

    return check_all


def text_or(check: Check) -> Check:
    """A string, or what `check` accepts."""

    def check_either(value: Any, path: str) -> None:
        if not isinstance(value, str):
            check(value, path)

    return check_either


def record(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *, is_open: bool = False
) -> Check:
    """An object with these keys; others are refused unless it is open."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            fail(path, "Input should be a valid dictionary or object to extract fields from")
        dotted = f"{path}." if path else ""
        for key, check_field in known.items():
            if key in value:
                check_field(value[key], dotted + key)
            elif key in required:
                fail(dotted + key, "Field required")
        if not is_open:
            for key in value:
                if key not in known:
                    fail(dotted + key, "Extra inputs are not permitted")

    return check


def tagged(variants: Mapping[str, Check], *, default: str = "") -> Check:
    """An object whose `type` chooses the shape. The tag becomes part of the path, as in `content.0.text.text`."""
    expected = ", ".join(f"'{tag}'" for tag in variants)

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            fail(path, "Input should be a valid dictionary or object to extract fields from")
        tag = value.get("type", default or None)
        if tag is None and "type" not in value:
            fail(f"{path}.type", "Field required")
        variant = variants.get(tag) if isinstance(tag, str) else None
        if variant is None:
            fail(path, f"Input tag '{tag}' found using 'type' does not match any of the expected tags: {expected}")
        variant(value, f"{path}.{tag}")

    return check
