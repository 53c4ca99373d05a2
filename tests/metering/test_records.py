"""Records as bytes and back."""

from dataclasses import fields

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.frames import frame, frames, next_frame
from metering.pricing import Charge
from metering.records import MAX_PAYLOAD_BYTES, BadRecord, Begin, End, Progress, Record, Refused, Sent, decode, encode
from tests.metering.samples import begin, charge, end

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
_counts = st.integers(0, 2**53)
_json = st.recursive(
    st.none() | st.booleans() | _counts | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)
_usage = st.dictionaries(_texts, _json, max_size=5)


def _strategy(kind: type[Record]) -> st.SearchStrategy[Record]:
    by_type = {
        "str": _texts,
        "int": _counts,
        "bool": st.booleans(),
        "str | None": st.none() | _texts,
        "int | None": st.none() | _counts,
    }
    values = {each.name: by_type.get(str(getattr(each.type, "__name__", each.type)), _usage) for each in fields(kind)}
    if kind is End:
        values["charge"] = st.builds(Charge, output_tokens=_counts, cost_picos=_counts, speed=_texts)
    if kind is Begin:
        values["scopes"] = st.lists(_json, max_size=3)
    return st.builds(kind, **values)


_records = st.one_of([_strategy(kind) for kind in (Begin, Sent, Progress, End, Refused)])


@given(_records)
def test_what_is_written_is_what_is_read(record: Record) -> None:
    assert decode(encode(record)) == record


@given(st.lists(_records, min_size=1, max_size=4), st.data())
def test_a_torn_tail_is_cut_and_nothing_before_it_is(records: list[Record], data: st.DataObject) -> None:
    written = [frame(encode(record)) for record in records]
    whole = b"".join(written[:-1])
    torn = data.draw(st.integers(0, len(written[-1]) - 1))

    read = [decode(payload) for _, payload in frames(whole + written[-1][:torn] + bytes(64))]

    assert read == records[:-1]


def test_a_tail_torn_at_any_byte_is_no_record() -> None:
    written = frame(encode(end()))

    for torn in range(len(written)):
        assert list(frames(written[:torn])) == []
        assert list(frames(written[:torn] + bytes(100_000))) == []


def test_a_flipped_bit_anywhere_is_seen() -> None:
    written = frame(encode(begin()))

    for bit in range(8 * len(written)):
        damaged = bytearray(written)
        damaged[bit // 8] ^= 1 << bit % 8
        assert list(frames(bytes(damaged))) == []


@given(st.lists(_records, min_size=2, max_size=4), st.binary(min_size=1, max_size=200))
def test_reading_finds_its_way_past_damage(records: list[Record], noise: bytes) -> None:
    lost = bytearray(frame(encode(records[0])))
    lost[-1] ^= 1
    data = bytes(lost) + noise + b"".join(frame(encode(record)) for record in records[1:])

    place = next_frame(data, 0)

    assert place is not None
    assert [decode(payload) for _, payload in frames(data, place)] == records[1:]


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2_000),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=300), inner, max_size=30),
    max_leaves=40,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=300), _anything, max_size=40), st.text(max_size=100_000))
def test_an_end_fits_whatever_the_upstream_said(usage: dict[str, object], text: str) -> None:
    record = end(usage=usage, stop_reason=text, message_id=text, upstream_request_id=text, error_type=text, model=text)

    payload = encode(record)

    assert len(payload) <= MAX_PAYLOAD_BYTES
    assert isinstance(decode(payload), End)


def test_the_largest_texts_in_all_fields_fit() -> None:
    long = '"' * 100_000
    texts = {each.name: long for each in fields(Begin) if each.type in (str, str | None)}

    payload = encode(begin(long, **{name: text for name, text in texts.items() if name != "request_id"}))

    assert len(payload) <= MAX_PAYLOAD_BYTES


def test_what_carries_the_price_stays_when_usage_is_cut() -> None:
    usage = {"input_tokens": 12, "output_tokens": 87, "iterations": [{"type": "message", "note": "x" * 50_000}]}

    kept = decode(encode(end(usage=usage)))

    assert isinstance(kept, End)
    assert kept.usage == {
        "input_tokens": 12,
        "output_tokens": 87,
        "iterations": [{"type": "message", "note": "x" * 256}],
    }
    assert kept.charge == charge()


@pytest.mark.parametrize("usage", [{"note": "\ud800"}, {"tokens": 10**30}, {"deep": None}])
def test_what_json_cannot_hold_is_cleaned(usage: dict[str, object]) -> None:
    if "deep" in usage:
        for _ in range(500):
            usage = {"deep": usage}

    kept = decode(encode(end(usage=usage)))

    assert isinstance(kept, End)
    assert kept.outcome == "completed"


def test_a_record_of_an_older_version_has_the_new_fields_at_their_defaults() -> None:
    payload = encode(begin())
    values = orjson.loads(payload[2:])

    record = decode(payload[:2] + orjson.dumps(values[:-2]))

    assert record == begin(client_retry_count=0, user_agent="")


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x02B[]", b"\x01X[]", b"\x01B[]", b"\x01B{", b"\x01B[1]"])
def test_what_is_no_record_says_so(payload: bytes) -> None:
    with pytest.raises(BadRecord):
        decode(payload)
