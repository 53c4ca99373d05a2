import time

import anthropic
import httpx
import pytest

from config.bench import loads
from config.bench.answers import STAMP_MARK
from config.bench.targets import Target


@pytest.fixture
def client(mock: Target) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=mock.address, api_key="none", max_retries=0)


def test_the_sdk_reads_the_mocks_message_and_its_usage(client: anthropic.Anthropic) -> None:
    message = client.messages.create(
        model="claude-haiku-4-5", max_tokens=20, messages=[{"role": "user", "content": "Hello"}]
    )

    assert message.model == "claude-haiku-4-5"
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (58, 46)


def test_the_sdk_reads_the_mocks_stream_to_its_end(client: anthropic.Anthropic) -> None:
    with client.messages.stream(
        model="claude-haiku-4-5", max_tokens=20, messages=[{"role": "user", "content": "Hello"}]
    ) as stream:
        events = [event for event in stream if event.type in {"content_block_delta", "message_start", "message_stop"}]
        message = stream.get_final_message()

    assert [events[0].type, events[-1].type] == ["message_start", "message_stop"]
    assert len(events) == loads.SSE.events - 3  # without content_block_start, content_block_stop, message_delta
    assert message.usage.output_tokens == 440


def test_paced_events_come_one_by_one_each_with_the_moment_it_left_at(mock: Target) -> None:
    load = loads.Load("paced", connections=1, events=8, interval_ms=50)
    arrived = []

    with httpx.stream("POST", f"{mock.address}/v1/messages", content=loads.body(load)) as answer:
        for chunk in answer.iter_raw():
            arrived.append((time.monotonic_ns(), chunk))

    stamped = [(at, int(chunk.split(STAMP_MARK)[1][:19])) for at, chunk in arrived if STAMP_MARK in chunk]
    gaps = [after[1] - before[1] for before, after in zip(stamped, stamped[1:], strict=False)]
    assert len(stamped) == 3
    assert all(at >= stamp for at, stamp in stamped)
    assert all(gap >= 40_000_000 for gap in gaps)


def test_anything_else_is_not_found(mock: Target) -> None:
    assert httpx.get(f"{mock.address}/v1/models").status_code == 404
