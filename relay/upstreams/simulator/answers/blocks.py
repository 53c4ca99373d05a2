"""One block of an answer: whole for JSON, in pieces for a stream, and cut where `max_tokens` ends it."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import orjson

from relay.upstreams.simulator.counting import tokens
from relay.upstreams.simulator.ids import new_id

Json = dict[str, Any]
CALL_TOKENS = 12  # what a model writes around the name and the input of a call


@dataclass(frozen=True, slots=True)
class Block:
    """`shell` opens the block in a stream; deltas of `field` carry `pieces`, one output token each.

    `hidden_tokens` were written but are not shown. `closing` deltas come right before the stop.
    """

    kind: str
    shell: Json
    pieces: tuple[str, ...] = ()
    hidden_tokens: int = 0
    closing: tuple[Json, ...] = ()
    is_cut: bool = False

    @property
    def tokens(self) -> int:
        return len(self.pieces) + self.hidden_tokens

    @property
    def is_thinking(self) -> bool:
        return self.kind == "thinking"

    def first(self, budget: int) -> "Block":
        """As much of the block as `budget` tokens allow."""
        if self.tokens <= budget:
            return self
        hidden = min(self.hidden_tokens, budget)
        return replace(self, pieces=self.pieces[: budget - hidden], hidden_tokens=hidden, is_cut=True)

    def whole(self) -> Json:
        """The block as a JSON answer holds it."""
        text = "".join(self.pieces)
        if self.kind == "text":
            citations = [delta["citation"] for delta in self.closing]
            return {**self.shell, "text": text, **({"citations": citations} if citations else {})}
        if self.kind == "thinking":
            return {**self.shell, "thinking": text, "signature": signature(text)}
        if self.kind == "tool":
            return {**self.shell, "input": {} if self.is_cut else orjson.loads(text or "{}")}
        return self.shell

    def deltas(self, tokens_per_event: int) -> Iterator[Json]:
        """What a stream sends between the start and the stop of this block."""
        if self.kind == "tool":
            yield {"type": "input_json_delta", "partial_json": ""}
        name, field = _DELTAS.get(self.kind, ("", ""))
        for text in tokens.grouped(self.pieces, tokens_per_event):
            yield {"type": name, field: text}
        if self.kind == "thinking":
            yield {"type": "signature_delta", "signature": signature("".join(self.pieces))}
        yield from self.closing


def text_block(pieces: Sequence[str], citations: Sequence[Json] = ()) -> Block:
    closing = tuple({"type": "citations_delta", "citation": citation} for citation in citations)
    shell: Json = {"type": "text", "text": ""}
    return Block("text", {**shell, "citations": []} if citations else shell, tuple(pieces), closing=closing)


def thinking_block(pieces: Sequence[str], *, is_shown: bool) -> Block:
    shell = {"type": "thinking", "thinking": "", "signature": ""}
    if is_shown:
        return Block("thinking", shell, tuple(pieces))
    return Block("thinking", shell, hidden_tokens=len(pieces))


def tool_block(name: str, value: Any, *, prefix: str = "toolu", kind: str = "tool_use") -> Block:
    """A call of the caller's tool, or of one that runs upstream."""
    shell = {"type": kind, "id": new_id(prefix), "name": name, "input": {}}
    pieces = tuple(tokens.pieces(orjson.dumps(value).decode()))
    return Block("tool", shell, pieces, hidden_tokens=CALL_TOKENS + len(tokens.pieces(name)))


def result_block(result: Json) -> Block:
    """A block that comes in one piece and costs no output, such as the results of a search."""
    return Block("result", result)


def signature(thinking: str) -> str:
    """What a thinking block is signed with; it must come back unchanged."""
    digest = blake2b(thinking.encode("utf-8", "replace"), key=b"tollgate simulator").digest()
    return base64.b64encode(b"tollgate-simulator-signature:" + digest + digest[::-1]).decode()


_DELTAS = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "tool": ("input_json_delta", "partial_json"),
}
