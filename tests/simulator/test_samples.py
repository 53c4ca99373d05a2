"""Pure pieces: values for schemas, phrases of questions, tokens of texts, scripts."""

from dataclasses import fields
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.upstreams import simulator
from relay.upstreams.simulator.answers import phrases
from relay.upstreams.simulator.answers.samples import sample
from relay.upstreams.simulator.counting.tokens import grouped, pieces, text_tokens
from relay.upstreams.simulator.refusals import Refusal
from relay.upstreams.simulator.script import Break, Script, parse

STRINGS = st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": st.integers(0, 30)})
NUMBERS = st.builds(
    lambda kind, low, span: {"type": kind, "minimum": low, "maximum": low + span},
    st.sampled_from(["integer", "number"]),
    st.integers(-50, 50),
    st.integers(0, 50),
)
LEAVES = STRINGS | NUMBERS | st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"enum": ["a", 1]}, {"const": 2}])


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.text("abcdef", min_size=1, max_size=6)
    objects = st.dictionaries(names, inner, max_size=4).map(
        lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)[:2]}
    )
    arrays = st.builds(
        lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 3)
    )
    choices = st.lists(inner, min_size=1, max_size=3).map(lambda options: {"anyOf": options})
    return objects | arrays | choices


SCHEMAS = st.recursive(LEAVES, _nested, max_leaves=12)


@given(SCHEMAS, st.text(max_size=40))
def test_a_sample_fits_its_schema(schema: dict[str, Any], question: str) -> None:
    jsonschema.validate(sample(schema, question), schema)


def test_references_are_followed_and_end() -> None:
    schema = {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]},
                },
                "required": ["name"],
            },
            "kind": {"enum": ["small", "large"]},
        },
        "type": "object",
        "properties": {"head": {"$ref": "#/$defs/node"}, "kind": {"$ref": "#/$defs/kind"}},
        "required": ["head", "kind"],
    }

    value = sample(schema, "a large one")

    jsonschema.validate(value, schema)
    assert value["kind"] == "large"


def test_a_schema_without_end_is_cut() -> None:
    endless = {"$ref": "#"}
    itself = {"type": "object", "properties": {"again": {"$ref": "#/$defs/x"}}, "$defs": {}}
    itself["$defs"] = {"x": {"type": "object", "properties": {"again": {"$ref": "#/$defs/x"}}}}

    assert sample(endless, "a") is None
    jsonschema.validate(sample(itself, "a"), itself)


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("北京今天天气怎么样？", "北京"),
        ("请问上海的天气", "上海"),
        ("今天广州天气如何", "广州"),
        ("東京の天気は？", "東京"),
        ("What's the weather in San Francisco, CA today?", "San Francisco, CA"),
        ("Weather in Paris?", "Paris"),
        ("¿Qué tiempo hace en Madrid?", "Madrid"),
        ("Tell me about Rome", "Rome"),
    ],
)
def test_places(question: str, place: str) -> None:
    assert phrases.place(question) == place


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        ("What is 15 * 7?", "15 * 7"),
        ("(1+2)*3", "(1+2)*3"),
        ("What is 10 divided by 4", "10 / 4"),
        ("3.5乘以2是多少", "3.5 * 2"),
        ("how are you", ""),
    ],
)
def test_sums(question: str, expression: str) -> None:
    assert phrases.arithmetic(question) == expression


@given(st.text())
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert "".join(grouped(pieces(text), 4)) == text


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abcd", 1), ("Hello, Claude", 4), ("你好", 2), ("word " * 100, 125)]
)
def test_text_tokens(text: str, tokens: int) -> None:
    assert text_tokens(text) == tokens


def test_a_script_is_read() -> None:
    script = parse("stall-after-events=3:1.5; cut-after-events=5; status=529; retry-after=3; crlf; chunk=1")

    assert script.breaks == (Break("stall", "events", 3, "1.5"), Break("cut", "events", 5))
    assert (script.status, script.retry_after, script.crlf, script.chunk) == (529, "3", True, 1)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "status=x",
        "status",
        "crlf=5",
        "usage=odd",
        "stall-after-events=3",
        "error-after-bytes=3",
        "breaks=1",
    ],
)
def test_a_wrong_script_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        parse(text)


def test_every_option_is_in_the_package_documentation() -> None:
    options = {field.name.replace("_", "-") for field in fields(Script)} - {"breaks"}

    assert [option for option in sorted(options) if option not in (simulator.__doc__ or "")] == []
