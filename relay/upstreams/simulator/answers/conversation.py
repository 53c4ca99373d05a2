"""What the conversation last said: the question, tool results, pictures, an answer to continue."""

from dataclasses import dataclass
from typing import Any

from relay.upstreams.simulator.counting.prompt import Body, blocks_of

_ASIDE = "<system-reminder>"  # agents slip notes into user turns; they are not the question


@dataclass(frozen=True, slots=True)
class Conversation:
    """The last turn of the user, and how many images and documents there are in all.

    `tool_results` is None when that turn has none; `prefill` is the assistant's beginning that the answer continues.
    `citable` is the text of the first plain document that asks for citations; its index counts documents.
    """

    question: str
    tool_results: str | None
    prefill: str
    images: int
    documents: int
    citable: str
    citable_title: str | None
    citable_index: int

    @property
    def is_chinese(self) -> bool:
        text = self.question or self.tool_results or ""
        return any("\u4e00" <= character <= "\u9fff" for character in text[:2_000])


def read_conversation(body: Body) -> Conversation:
    """Read a body that was found well-formed."""
    messages = body["messages"]
    last = [block for message in _last_turn(messages) for block in blocks_of(message["content"])]
    results = [block for block in last if block["type"] == "tool_result"]
    everything = [block for message in messages for block in blocks_of(message["content"])]
    documents = [block for block in everything if block["type"] == "document"]
    cited = next((index for index, block in enumerate(documents) if _is_citable(block)), -1)
    return Conversation(
        question=_question(last),
        tool_results="\n".join(_text_of(block.get("content")) for block in results) if results else None,
        prefill=_text_of(messages[-1]["content"]) if messages[-1]["role"] == "assistant" else "",
        images=sum(block["type"] == "image" for block in everything),
        documents=len(documents),
        citable=documents[cited]["source"]["data"] if cited >= 0 else "",
        citable_title=documents[cited].get("title") if cited >= 0 else None,
        citable_index=cited,
    )


def _last_turn(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The user's messages at the end: consecutive ones are one turn."""
    end = len(messages) - (messages[-1]["role"] == "assistant")
    start = end
    while start > 0 and messages[start - 1]["role"] != "assistant":
        start -= 1
    return [message for message in messages[start:end] if message["role"] == "user"]


def _question(blocks: list[dict[str, Any]]) -> str:
    texts = [block["text"].strip() for block in blocks if block["type"] == "text"]
    return next((text for text in reversed(texts) if text and not text.startswith(_ASIDE)), "")


def _text_of(content: Any) -> str:
    return "\n".join(block["text"] for block in blocks_of(content) if block.get("type") == "text")


def _is_citable(document: dict[str, Any]) -> bool:
    return bool((document.get("citations") or {}).get("enabled")) and document["source"]["type"] == "text"
