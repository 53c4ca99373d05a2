"""A request as a sequence of parts in the order that the cache knows: tools, system, messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from metering.catalogue import Model
from relay.upstreams.simulator.counting import media, tokens

Body = dict[str, Any]
FORCING = ("any", "tool")


@dataclass(frozen=True, slots=True)
class Part:
    """One tool, system block or content block. `ttl` is set where the caller put a cache breakpoint."""

    section: str
    value: Any
    tokens: int
    ttl: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The parts, with the tokens they cost this model."""

    parts: tuple[Part, ...]

    @property
    def tokens(self) -> int:
        return sum(part.tokens for part in self.parts)


def read_prompt(body: Body, model: Model) -> Prompt:
    """Count a body that was found well-formed."""
    parts = [*_tool_parts(body), *_system_parts(body), *_message_parts(body)]
    if isinstance(automatic := body.get("cache_control"), dict):
        parts = _with_automatic_breakpoint(parts, automatic)
    return Prompt(tuple(Part(p.section, p.value, tokens.scaled(p.tokens, model), p.ttl) for p in parts))


def blocks_of(content: Any) -> list[dict[str, Any]]:
    """The content of a message or tool result as blocks, whether it came as text or as a list."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content or []


def block_tokens(block: dict[str, Any]) -> int:
    """Tokens of one content block; thinking of earlier turns is not counted."""
    kind = block.get("type")
    counter = _COUNTERS.get(kind) if isinstance(kind, str) else None
    return counter(block) if counter else tokens.value_tokens(block)


def ttl_of(cache_control: Any) -> str:
    """`5m` or `1h`, empty where there is no breakpoint."""
    return (cache_control.get("ttl") or "5m") if isinstance(cache_control, dict) else ""


def _tool_parts(body: Body) -> Iterator[Part]:
    overhead = tokens.TOOLS_OVERHEAD
    if (body.get("tool_choice") or {}).get("type") in FORCING:
        overhead = tokens.FORCED_TOOLS_OVERHEAD
    for tool in body.get("tools") or ():
        plain = {key: value for key, value in tool.items() if key != "cache_control"}
        yield Part("tools", plain, tokens.value_tokens(plain) + overhead, ttl_of(tool.get("cache_control")))
        overhead = 0


def _system_parts(body: Body) -> Iterator[Part]:
    for block in blocks_of(body.get("system")):
        yield _part("system", block, overhead=0)


def _message_parts(body: Body) -> Iterator[Part]:
    overhead = tokens.REQUEST_OVERHEAD
    for message in body["messages"]:
        overhead += tokens.MESSAGE_OVERHEAD
        for block in blocks_of(message["content"]):
            yield _part("messages", block, overhead=overhead, role=message["role"])
            overhead = 0


def _part(section: str, block: dict[str, Any], *, overhead: int, role: str = "") -> Part:
    return Part(section, (role, block), block_tokens(block) + overhead, ttl_of(block.get("cache_control")))


def _with_automatic_breakpoint(parts: list[Part], cache_control: dict[str, Any]) -> list[Part]:
    """Top-level `cache_control`: a breakpoint at the last part that may carry one."""
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if part.tokens and not part.ttl:
            marked = Part(part.section, part.value, part.tokens, ttl_of(cache_control))
            return [*parts[:index], marked, *parts[index + 1 :]]
        if part.ttl:
            break
    return parts


def _document_tokens(block: dict[str, Any]) -> int:
    source = block["source"]
    about = tokens.text_tokens(block.get("title") or "") + tokens.text_tokens(block.get("context") or "")
    if source["type"] == "text":
        return about + tokens.text_tokens(source["data"])
    if source["type"] == "content":
        return about + _content_tokens(source["content"])
    return about + media.source_tokens(source, unseen=media.UNSEEN_DOCUMENT_TOKENS)


def _content_tokens(content: Any) -> int:
    return sum(block_tokens(block) for block in blocks_of(content))


_COUNTERS = {
    "text": lambda block: tokens.text_tokens(block["text"]),
    "image": lambda block: media.source_tokens(block["source"], unseen=media.UNSEEN_IMAGE_TOKENS),
    "document": _document_tokens,
    "thinking": lambda block: 0,
    "redacted_thinking": lambda block: 0,
    "tool_use": lambda block: tokens.text_tokens(block["name"]) + tokens.value_tokens(block["input"]) + 8,
    "tool_result": lambda block: _content_tokens(block.get("content")) + 8,
}
