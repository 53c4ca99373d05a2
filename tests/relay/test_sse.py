"""Frames out of pieces cut anywhere, in every line end that the standard allows."""

from hypothesis import given
from hypothesis import strategies as st

from relay.sse import Event, Frames, parse, split

LF = b'event: message_start\ndata: {"x": "\xc3\xa9"}\n\n: a comment\n\nevent: ping\ndata: {}\n\n'
CRLF = LF.replace(b"\n", b"\r\n")
CR = LF.replace(b"\n", b"\r")
MIXED = b"event: a\r\ndata: 1\r\n\r\nevent: b\ndata: 2\n\nevent: c\rdata: 3\r\r"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in zip(ends, ends[1:], strict=False)]


@given(st.sampled_from([LF, CRLF, CR, MIXED]), st.lists(st.integers(0, 10_000), max_size=40))
def test_no_byte_is_lost_or_moved_however_the_stream_is_cut(stream: bytes, places: list[int]) -> None:
    frames = Frames()

    whole = b"".join(frames.whole(piece) for piece in cut(stream, places))

    assert whole + frames.rest() == stream


@given(st.sampled_from([LF, CRLF, CR, MIXED]), st.lists(st.integers(0, 10_000), max_size=40))
def test_the_events_are_the_same_however_the_stream_is_cut(stream: bytes, places: list[int]) -> None:
    frames = Frames()
    at_once = [parse(frame) for frame in split(stream)]

    seen = [parse(frame) for piece in cut(stream, places) if (out := frames.whole(piece)) for frame in split(out)]

    assert [event for event in seen if event.data] == [event for event in at_once if event.data]


def test_a_frame_is_held_back_until_its_blank_line_has_come() -> None:
    frames = Frames()

    assert frames.whole(b"event: ping\ndata: {}\n") == b""
    assert not frames.is_between
    assert frames.whole(b"\n") == b"event: ping\ndata: {}\n\n"
    assert frames.is_between


def test_several_data_lines_are_one_text() -> None:
    assert parse(b"event: a\ndata: {\ndata: }") == Event(b"a", b"{\n}")


def test_a_frame_of_a_megabyte_in_tiny_pieces_takes_no_quadratic_time() -> None:
    frames = Frames()
    for _ in range(200_000):
        assert frames.whole(b"12345") == b""

    assert len(frames.whole(b"\n\n")) == 1_000_002
