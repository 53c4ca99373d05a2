"""Composing an answer: which blocks, how long, and why it stops."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from metering.catalogue import Model
from relay.upstreams.simulator.answers import server_tools, words
from relay.upstreams.simulator.answers.blocks import Block, text_block, thinking_block, tool_block
from relay.upstreams.simulator.answers.conversation import Conversation, read_conversation
from relay.upstreams.simulator.answers.samples import sample
from relay.upstreams.simulator.answers.thinking import is_shown, thinks
from relay.upstreams.simulator.answers.tool_calls import ToolCall, choose_calls
from relay.upstreams.simulator.counting.prompt import Body
from relay.upstreams.simulator.counting.tokens import pieces
from relay.upstreams.simulator.counting.usage import Spent
from relay.upstreams.simulator.script import Script


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
    if script.stop_reason == "refusal":
        return _refused()
    conversation = read_conversation(body)
    thoughts = _thoughts(body, model, conversation)
    blocks, stop_reason = _content(body, model, conversation, script)
    answer = _answer((*thoughts, *blocks), script.stop_reason or stop_reason)
    answer = _stopped(answer, body.get("stop_sequences") or ())
    if room < body["max_tokens"]:
        return _within(answer, room, stop_reason="model_context_window_exceeded")
    return _within(answer, body["max_tokens"], stop_reason="max_tokens")


def _thoughts(body: Body, model: Model, conversation: Conversation) -> list[Block]:
    if not thinks(body, model, conversation):
        return []
    return [thinking_block(pieces(words.thoughts(conversation)), is_shown=is_shown(body, model))]


def _content(body: Body, model: Model, conversation: Conversation, script: Script) -> tuple[list[Block], str]:
    """The blocks after thinking, and the stop reason if they are sent whole."""
    calls = choose_calls(body, conversation)
    if script.long_line:
        calls = [ToolCall("web_search", {"query": conversation.question}, runs_here=True)]
    if any(not call.runs_here for call in calls):
        return [tool_block(call.name, call.input) for call in calls if not call.runs_here], "tool_use"
    if calls:
        return [block for call in calls for block in server_tools.run(call, result_bytes=script.long_line)], "end_turn"
    return [_text(body, model, conversation, script)], "end_turn"


def _text(body: Body, model: Model, conversation: Conversation, script: Script) -> Block:
    schema = _output_schema(body)
    if schema is not None:
        return text_block(pieces(orjson.dumps(sample(schema, conversation.question)).decode()))
    text = words.reply(conversation, model_name=model.display_name)
    if script.output_tokens:
        return text_block(words.stretched(text, script.output_tokens))
    return text_block(pieces(text), _citations(conversation))


def _output_schema(body: Body) -> Any:
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    return wanted.get("schema")


def _citations(conversation: Conversation) -> list[dict[str, Any]]:
    """The beginning of the first plain document that asked to be cited."""
    if not conversation.citable:
        return []
    cited = conversation.citable[:80]
    return [
        {
            "type": "char_location",
            "cited_text": cited,
            "document_index": conversation.citable_index,
            "document_title": conversation.citable_title,
            "file_id": None,
            "start_char_index": 0,
            "end_char_index": len(cited),
        }
    ]


def _answer(blocks: tuple[Block, ...], stop_reason: str) -> Answer:
    results = [block.shell["type"] for block in blocks if block.kind == "result"]
    return Answer(
        blocks,
        stop_reason,
        Spent(
            output_tokens=sum(block.tokens for block in blocks),
            thinking_tokens=sum(block.tokens for block in blocks if block.is_thinking),
            result_tokens=len(results) * server_tools.RESULT_TOKENS,
            web_searches=results.count("web_search_tool_result"),
            web_fetches=results.count("web_fetch_tool_result"),
        ),
    )


def _refused() -> Answer:
    details = {"type": "refusal", "category": None, "explanation": "The simulator was asked to refuse."}
    return Answer((), "refusal", Spent(output_tokens=0), stop_details=details)


def _stopped(answer: Answer, stop_sequences: Iterable[str]) -> Answer:
    """Cut before the first stop sequence in a text."""
    for index, block in enumerate(answer.blocks):
        text = "".join(block.pieces) if block.kind == "text" else ""
        found = [(at, sequence) for sequence in stop_sequences if (at := text.find(sequence)) >= 0]
        if found:
            at, sequence = min(found)
            kept = (*answer.blocks[:index], text_block(pieces(text[:at])))
            return replace(_answer(kept, "stop_sequence"), stop_sequence=sequence)
    return answer


def _within(answer: Answer, maximum: int, *, stop_reason: str) -> Answer:
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
    return _answer(tuple(kept), stop_reason)
