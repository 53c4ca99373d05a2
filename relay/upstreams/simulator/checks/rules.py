"""What a model and an API version allow beyond the shape of the body."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from metering.catalogue import Model
from relay.upstreams.simulator.checks.schema import fail
from relay.upstreams.simulator.checks.thinking import check_thinking
from relay.upstreams.simulator.counting.prompt import FORCING, blocks_of
from relay.upstreams.simulator.head import NO_SAMPLING_VERSION
from relay.upstreams.simulator.refusals import invalid

Json = dict[str, Any]
SAMPLING = ("temperature", "top_p", "top_k")
_DEFAULTS = {"temperature": 1, "top_p": 1, "top_k": 0}
_ONE_SAMPLER = (4, 1)  # from here on temperature and top_p exclude each other
_FAST_BETA = "fast-mode-2026-02-01"


@dataclass(frozen=True, slots=True)
class Question:
    """A well-formed body, the model it goes to and the words it was asked with."""

    body: Json
    model: Model
    version: str
    betas: frozenset[str]


def check_rules(body: Json, model: Model, *, version: str, betas: frozenset[str]) -> None:
    """Raises Refusal (400) for the first rule that the body breaks."""
    question = Question(body, model, version, betas)
    for rule in _RULES:
        rule(question)
    check_thinking(body, model, betas)


def _max_tokens(question: Question) -> None:
    asked, allowed = question.body.get("max_tokens", 0), question.model.max_output_tokens
    if asked > allowed:
        invalid(
            f"max_tokens: {asked} > {allowed}, which is the maximum allowed number of output tokens for "
            f"{question.model.id}"
        )


def _sampling(question: Question) -> None:
    given = {key: question.body[key] for key in SAMPLING if question.body.get(key) is not None}
    if question.version == NO_SAMPLING_VERSION:
        for key in given:
            fail(key, "Extra inputs are not permitted")
    for key, value in given.items():
        if not question.model.accepts_sampling and value != _DEFAULTS[key]:
            invalid(f"`{key}` is deprecated for this model.")
    if question.model.generation >= _ONE_SAMPLER and "temperature" in given and "top_p" in given:
        invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")


def _stop_sequences(question: Question) -> None:
    if any(not sequence.strip() for sequence in question.body.get("stop_sequences") or ()):
        invalid("stop_sequences: each stop sequence must contain non-whitespace")


def _roles(question: Question) -> None:
    messages = question.body["messages"]
    if not question.model.accepts_system_turns and any(message["role"] == "system" for message in messages):
        invalid(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" '
            "as an input message role."
        )


def _prefill(question: Question) -> None:
    last = question.body["messages"][-1]
    if last["role"] != "assistant":
        return
    if not question.model.accepts_prefill:
        invalid("This model does not support assistant message prefill. The conversation must end with a user message.")
    texts = [block["text"] for block in blocks_of(last["content"]) if block["type"] == "text"]
    if texts and texts[-1] != texts[-1].rstrip():
        invalid("messages: final assistant content cannot end with trailing whitespace")


def _version_of_blocks(question: Question) -> None:
    """What the newer version no longer takes: documents said by the assistant, citations said by the user."""
    if question.version != NO_SAMPLING_VERSION:
        return
    for index, message in enumerate(question.body["messages"]):
        for position, block in enumerate(blocks_of(message["content"])):
            path = f"messages.{index}.content.{position}"
            if block["type"] == "document" and message["role"] == "assistant":
                fail(path, "`document` blocks are not permitted in `assistant` messages")
            if message["role"] == "user" and _has_citations(block):
                fail(f"{path}.citations", "citations are not permitted in `user` messages")


def _has_citations(block: Json) -> bool:
    texts = block["content"] if block["type"] == "search_result" else [block]
    return any(text["type"] == "text" and text.get("citations") for text in texts)


def _tools(question: Question) -> None:
    tools, choice = question.body.get("tools") or [], question.body.get("tool_choice")
    names = [tool["name"] for tool in tools if "name" in tool]
    if len(set(names)) < len(names):
        invalid("tools: Tool names must be unique.")
    if not choice:
        return
    if not tools and choice["type"] != "none":
        fail("tool_choice", "tool_choice may only be specified while providing tools")
    if choice["type"] == "tool" and choice["name"] not in names:
        invalid(f"Tool '{choice['name']}' not found in provided tools")
    if choice["type"] in FORCING and not question.model.accepts_forced_tools:
        invalid(f'tool_choice: "{choice["type"]}" is not supported for this model. Use "auto" or "none".')


def _effort(question: Question) -> None:
    effort = (question.body.get("output_config") or {}).get("effort")
    if effort and effort not in question.model.efforts:
        if not question.model.efforts:
            invalid("output_config.effort: This model does not support the effort parameter.")
        allowed = ", ".join(question.model.efforts)
        invalid(f"output_config.effort: '{effort}' is not supported for this model. Supported values: {allowed}.")


def _place(question: Question) -> None:
    if question.body.get("inference_geo") and not question.model.has_us_inference:
        invalid("inference_geo: this model does not support `inference_geo`")


def _speed(question: Question) -> None:
    if question.body.get("speed") != "fast":
        return
    model = question.model
    if model.fast_mode == "refused":
        invalid(f"speed: `fast` is not supported for {model.id}")
    if model.fast_mode == "fast" and model.generation < (5, 1) and _FAST_BETA not in question.betas:
        fail("speed", "Extra inputs are not permitted")


def _breakpoints(question: Question) -> None:
    """At most four, and those that last an hour first."""
    marks = list(_marks(question.body))
    if len(marks) > 4:
        invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    seen_short = False
    for path, ttl in marks:
        if ttl == "1h" and seen_short:
            fail(
                f"{path}.cache_control.ttl",
                "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks "
                "are processed in the following order: `tools`, `system`, `messages`.",
            )
        seen_short = seen_short or ttl == "5m"


def _marks(body: Json) -> list[tuple[str, str]]:
    """(path, ttl) of every breakpoint, in the order of the cache; the automatic one is last."""
    places = [(f"tools.{index}", tool) for index, tool in enumerate(body.get("tools") or ())]
    places += [(f"system.{index}", block) for index, block in enumerate(blocks_of(body.get("system")))]
    for index, message in enumerate(body["messages"]):
        blocks = enumerate(blocks_of(message["content"]))
        places += [(f"messages.{index}.content.{position}", block) for position, block in blocks]
    places.append(("", body))
    return [(path, mark.get("ttl") or "5m") for path, each in places if (mark := each.get("cache_control"))]


_RULES: tuple[Callable[[Question], None], ...] = (
    _max_tokens,
    _sampling,
    _stop_sequences,
    _roles,
    _prefill,
    _version_of_blocks,
    _tools,
    _effort,
    _place,
    _speed,
    _breakpoints,
)
