"""An answer as the API writes it: one JSON object, or a stream of events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from relay.upstreams.simulator.answers.answer import Answer
from relay.upstreams.simulator.answers.blocks import Block
from relay.upstreams.simulator.counting import usage
from relay.upstreams.simulator.counting.usage import Cached, Terms

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """An answer with its id and its bill. `extras` are fields that only some requests get."""

    id: str
    model: str
    answer: Answer
    cached: Cached
    terms: Terms
    extras: Json

    def whole(self) -> Json:
        return {
            "model": self.model,
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "content": [block.whole() for block in self.answer.blocks],
            "stop_reason": self.answer.stop_reason,
            "stop_sequence": self.answer.stop_sequence,
            "stop_details": self.answer.stop_details,
            **self.extras,
            "usage": usage.whole(self.cached, self.answer.spent, self.terms),
        }

    def events(self, tokens_per_event: int) -> Iterator[Json]:
        """All events but the pings, in order."""
        yield {"type": "message_start", "message": self._start()}
        for index, block in enumerate(self.answer.blocks):
            yield from _block_events(index, block, tokens_per_event)
        yield self._delta()
        yield {"type": "message_stop"}

    def _start(self) -> Json:
        return {
            "model": self.model,
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": usage.at_start(self.cached, self.answer.spent, self.terms),
        }

    def _delta(self) -> Json:
        delta = {
            "stop_reason": self.answer.stop_reason,
            "stop_sequence": self.answer.stop_sequence,
            "stop_details": self.answer.stop_details,
        }
        return {
            "type": "message_delta",
            "delta": delta,
            **self.extras,
            "usage": usage.at_end(self.cached, self.answer.spent),
        }


def _block_events(index: int, block: Block, tokens_per_event: int) -> Iterator[Json]:
    yield {"type": "content_block_start", "index": index, "content_block": block.shell}
    for delta in block.deltas(tokens_per_event):
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}
