"""The prompt cache: what is written, read, and when not."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from metering.catalogue import Model, find
from relay.upstreams.simulator.counting.cache import Cache
from relay.upstreams.simulator.counting.prompt import read_prompt
from relay.upstreams.simulator.counting.usage import Cached
from tests.simulator.running import RunningSimulator, hello

Json = dict[str, Any]
LONG = "A long and steady instruction. " * 400  # about 3,100 tokens
MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}


def model(name: str = "claude-sonnet-4-5") -> Model:
    found = find(name)
    assert found is not None
    assert found.created < date(2027, 1, 1)
    return found


def text(words: str, mark: Json | None = None) -> Json:
    return {"type": "text", "text": words} | ({"cache_control": mark} if mark else {})


class Asking:
    """A cache with a clock that is set by hand."""

    def __init__(self) -> None:
        self.cache = Cache()

    def __call__(self, body: Json, *, now: float = 0, owner: str = "acme", name: str = "claude-sonnet-4-5") -> Cached:
        prompt = read_prompt(body, model(name))
        return self.cache.account(prompt, model=model(name), owner=owner, mode=body.get("thinking"), now=now)


@pytest.fixture
def ask() -> Asking:
    return Asking()


def marked(question: str = "Hi", mark: Json = MARK) -> Json:
    return hello(question, system=[text(LONG, mark)])


def test_a_prefix_is_written_once_and_then_read(ask: Asking) -> None:
    first, second = ask(marked("One")), ask(marked("Two"), now=299)

    assert first.write_5m_tokens == second.read_tokens > 3_000
    assert (first.read_tokens, second.write_5m_tokens) == (0, 0)
    assert 0 < second.input_tokens < 20


def test_it_is_forgotten_after_its_time_unless_used(ask: Asking) -> None:
    ask(marked())

    assert ask(marked(), now=200).read_tokens > 0
    assert ask(marked(), now=450).read_tokens > 0  # refreshed at 200
    assert ask(marked(), now=751).read_tokens == 0


def test_an_hour_is_an_hour(ask: Asking) -> None:
    assert ask(marked(mark=HOUR)).write_1h_tokens > 3_000
    assert ask(marked(mark=HOUR), now=3_599).read_tokens > 3_000
    assert ask(marked(mark=HOUR), now=8_000).read_tokens == 0


def test_credentials_and_models_share_nothing(ask: Asking) -> None:
    ask(marked())

    assert ask(marked(), owner="globex").read_tokens == 0
    assert ask(marked(), name="claude-opus-5").read_tokens == 0


def test_a_short_prefix_is_silently_not_cached(ask: Asking) -> None:
    assert ask(hello("Hi", system=[text("Short.", MARK)])) == Cached(
        input_tokens=ask(hello("Hi", system="Short.")).input_tokens
    )


def test_hours_come_before_minutes_and_are_counted_apart(ask: Asking) -> None:
    cached = ask(hello([text(LONG, MARK)], system=[text(LONG, HOUR)]))

    assert cached.write_1h_tokens > 3_000
    assert cached.write_5m_tokens > 3_000


def test_a_growing_conversation_reads_what_it_said_before(ask: Asking) -> None:
    turns: list[Json] = [{"role": "user", "content": [text(LONG, MARK)]}]
    ask(hello(messages=turns))
    turns = [
        {"role": "user", "content": [text(LONG)]},
        {"role": "assistant", "content": [text("Yes.")]},
        {"role": "user", "content": [text("More. " * 100, MARK)]},
    ]

    cached = ask(hello(messages=turns))

    assert cached.read_tokens > 3_000
    assert 100 < cached.write_5m_tokens < 300
    assert cached.input_tokens == 0


def test_it_looks_back_twenty_blocks_and_no_further(ask: Asking) -> None:
    beginning = text(LONG, MARK)
    ask(hello([beginning]))

    near = ask(hello([text(LONG), *[text("a")] * 19, text("b", MARK)]))
    far = ask(hello([text(LONG), *[text("c")] * 20, text("d", MARK)]))

    assert near.read_tokens > 3_000
    assert far.read_tokens == 0


def test_a_changed_word_misses(ask: Asking) -> None:
    ask(marked())

    assert ask(hello(system=[text("B" + LONG[1:], MARK)])).read_tokens == 0


def test_changed_thinking_keeps_the_system_and_loses_the_messages(ask: Asking) -> None:
    body = hello([text(LONG, MARK)], system=[text(LONG, MARK)])
    ask(body)

    cached = ask({**body, "thinking": {"type": "enabled", "budget_tokens": 1024}})

    assert cached.read_tokens > 3_000
    assert cached.write_5m_tokens > 3_000


def test_a_mark_at_the_top_is_a_breakpoint_at_the_end(ask: Asking) -> None:
    body = hello(LONG, cache_control=MARK)

    assert ask(body).write_5m_tokens > 3_000
    assert ask(body).input_tokens == 0


def test_the_answer_shows_it_in_usage(simulator: RunningSimulator) -> None:
    body = hello("Hi", system=[text(f"{uuid4()} {LONG}", HOUR)])

    first, second = simulator.usage(body), simulator.usage(body)

    assert first["cache_creation_input_tokens"] == first["cache_creation"]["ephemeral_1h_input_tokens"] > 3_000
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert second["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
    assert simulator.usage(body, x_api_key="k-globex")["cache_read_input_tokens"] == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            hello([text(str(number), MARK) for number in range(5)]),
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        (
            hello([text("a", MARK), text("b", HOUR)]),
            "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
        ),
        (
            hello([text("a", {"type": "forever"})]),
            "messages.0.content.0.text.cache_control.type: Input should be 'ephemeral'",
        ),
        (
            hello([text("a", {"type": "ephemeral", "ttl": "2h"})]),
            "messages.0.content.0.text.cache_control.ttl: Input should be '5m' or '1h'",
        ),
    ],
)
def test_wrong_marks_are_refused(simulator: RunningSimulator, body: Json, message: str) -> None:
    answer = simulator.post(body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)
