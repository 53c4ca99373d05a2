"""Composing an answer: which blocks, how long, and why it stops."""

from dataclasses import dataclass, replace
from typing import Any

from metering.catalogue import Model
from relay.upstreams.simulator import words
from relay.upstreams.simulator.blocks import Block, text_block
from relay.upstreams.simulator.conversation import Conversation, read_conversation
from relay.upstreams.simulator.prompt import Body
from relay.upstreams.simulator.script import Script
from relay.upstreams.simulator.tokens import pieces
from relay.upstreams.simulator.usage import Spent


@dataclass(frozen=True, slots=True)
class Answer:
    """The blocks in order, the reason to stop and what it cost."""

    blocks: tuple[Block, ...]
    stop_reason: str
    spent: Spent
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None


def compose(body: Body, model: Model, script: Script, *, room: int) -> Answer:
    """Answer a body that passed all checks. `room` is what the context window leaves for output."""
    maximum = min(body["max_tokens"], room)
    conversation = read_conversation(body)
    answer = _stopped(_text(conversation, model, script), body.get("stop_sequences") or ())
    return _within(
        answer, maximum, at_limit="max_tokens" if maximum == body["max_tokens"] else "model_context_window_exceeded"
    )


def _text(conversation: Conversation, model: Model, script: Script) -> Answer:
    text = words.reply(conversation, model_name=model.display_name)
    tokens = words.stretched(text, script.output_tokens) if script.output_tokens else pieces(text)
    return _answer((text_block(tokens),), "end_turn")


def _answer(blocks: tuple[Block, ...], stop_reason: str) -> Answer:
    return Answer(blocks, stop_reason, Spent(output_tokens=sum(block.tokens for block in blocks)))


def _stopped(answer: Answer, stop_sequences: list[str] | tuple[()]) -> Answer:
    """Cut before the first stop sequence in the first text."""
    for index, block in enumerate(answer.blocks):
        if block.kind != "text":
            continue
        text = "".join(block.pieces)
        found = [(at, each) for each in stop_sequences if each and (at := text.find(each)) >= 0]
        if found:
            at, sequence = min(found)
            cut = (*answer.blocks[:index], text_block(pieces(text[:at])))
            return replace(_answer(cut, "stop_sequence"), stop_sequence=sequence)
    return answer


def _within(answer: Answer, maximum: int, *, at_limit: str) -> Answer:
    """Cut after `maximum` output tokens."""
    if answer.spent.output_tokens <= maximum:
        return answer
    kept: list[Block] = []
    left = maximum
    for block in answer.blocks:
        if left <= 0:
            break
        kept.append(block.first(left))
        left -= kept[-1].tokens
    return _answer(tuple(kept), at_limit)
