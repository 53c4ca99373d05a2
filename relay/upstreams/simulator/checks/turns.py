"""Rules between messages: whose turn it is, which tool result answers which call, what a turn must not hold."""

from typing import Any

from relay.upstreams.simulator.answers.blocks import signature
from relay.upstreams.simulator.checks.schema import fail
from relay.upstreams.simulator.counting import media
from relay.upstreams.simulator.counting.prompt import Body, blocks_of
from relay.upstreams.simulator.refusals import invalid

Json = dict[str, Any]


def check_turns(body: Body) -> None:
    """Raises Refusal (400) for the first message that does not fit in its place."""
    messages = body["messages"]
    if messages[0]["role"] != "user":
        invalid('messages: first message must use the "user" role')
    calls: dict[str, Any] = {}
    for index, message in enumerate(messages):
        is_last = index == len(messages) - 1
        blocks = blocks_of(message["content"])
        _check_filled(message, blocks, index, may_be_empty=is_last and message["role"] == "assistant")
        for position, block in enumerate(blocks):
            _check_block(block, f"messages.{index}.content.{position}")
        calls = _check_tools(message["role"], blocks, index, calls)


def _check_filled(message: Json, blocks: list[Json], index: int, *, may_be_empty: bool) -> None:
    if not message["content"] and not may_be_empty:
        rule = "all messages must have non-empty content except for the optional final assistant message"
        invalid(f"messages.{index}: {rule}")
    for block in blocks:
        if block["type"] == "text" and not block["text"].strip() and not may_be_empty:
            what = "contain non-whitespace text" if block["text"] else "be non-empty"
            invalid(f"messages: text content blocks must {what}")


def _check_block(block: Json, path: str) -> None:
    if block["type"] == "image":
        _check_image(block["source"], f"{path}.image.source")
    elif block["type"] == "thinking" and block["signature"] != signature(block["thinking"]):
        invalid(f"{path}: Invalid `signature` in `thinking` block")
    elif block["type"] == "tool_result":
        for index, inner in enumerate(blocks_of(block.get("content"))):
            _check_block(inner, f"{path}.tool_result.content.{index}")


def _check_image(source: Json, path: str) -> None:
    if source["type"] != "base64":
        return
    content = media.decoded(source["data"]) or b""
    kind = media.image_type(content)
    if kind and kind != source["media_type"]:
        fail(
            f"{path}.base64.data",
            f"The image was specified using the {source['media_type']} media type, but the image appears to be a "
            f"{kind} image",
        )
    size = media.image_size(content)
    if size is None:
        invalid("Could not process image")
    if max(size) > media.MAXIMUM_EDGE:
        fail(
            f"{path}.base64.data",
            f"At least one of the image dimensions exceed max allowed size: {media.MAXIMUM_EDGE} pixels",
        )


def _check_tools(role: str, blocks: list[Json], index: int, calls: dict[str, Any]) -> dict[str, Any]:
    """Results must answer the calls of the message before, all of them. Returns the calls of this message."""
    if role == "assistant":
        return _calls(blocks, index)
    results = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
    for position, block in enumerate(blocks):
        if block["type"] == "tool_result" and block["tool_use_id"] not in calls:
            invalid(
                f"messages.{index}.content.{position}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{block['tool_use_id']}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                "previous message."
            )
    if missing := [call for call in calls if call not in results]:
        invalid(
            f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message."
        )
    return {}


def _calls(blocks: list[Json], index: int) -> dict[str, Any]:
    calls: dict[str, Any] = {}
    for position, block in enumerate(blocks):
        if block["type"] == "tool_use":
            if block["id"] in calls:
                invalid(f"messages.{index}.content.{position}: `tool_use` ids must be unique")
            calls[block["id"]] = block
    return calls
