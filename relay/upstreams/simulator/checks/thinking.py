"""Which thinking a model takes, and what cannot go with it."""

from typing import Any

from metering.catalogue import Model
from relay.upstreams.simulator.counting.prompt import FORCING, blocks_of
from relay.upstreams.simulator.refusals import invalid

Json = dict[str, Any]
INTERLEAVED = "interleaved-thinking-2025-05-14"


def check_thinking(body: Json, model: Model, betas: frozenset[str]) -> None:
    """Raises Refusal (400) when the `thinking` of a body does not fit the model or the rest of the body."""
    thinking = body.get("thinking")
    if not thinking:
        return
    kind = thinking["type"]
    if kind not in model.thinking:
        _refuse_kind(kind, model)
    if kind == "enabled":
        _check_budget(body, thinking, betas)
        _check_replayed(body["messages"])
    if kind in ("enabled", "adaptive"):
        _check_company(body)
    if kind == "between_tools" and (body.get("output_config") or {}).get("effort") in ("xhigh", "max"):
        invalid('"thinking.type.between_tools" is only supported with effort low, medium or high.')


def _refuse_kind(kind: str, model: Model) -> None:
    if kind == "adaptive":
        invalid("adaptive thinking is not supported on this model")
    if "adaptive" in model.thinking and kind in ("enabled", "disabled"):
        invalid(
            f'"thinking.type.{kind}" is not supported for this model. Use "thinking.type.adaptive" and '
            '"output_config.effort" to control thinking behavior.'
        )
    invalid(f'"thinking.type.{kind}" is not supported for this model.')


def _check_budget(body: Json, thinking: Json, betas: frozenset[str]) -> None:
    if thinking["budget_tokens"] >= body.get("max_tokens", thinking["budget_tokens"] + 1) and INTERLEAVED not in betas:
        invalid(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
        )


def _check_company(body: Json) -> None:
    """What cannot go with thinking: another temperature, a forced tool."""
    if body.get("temperature") not in (None, 1):
        invalid("`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_k"):
        invalid("`top_k` must be unset when thinking is enabled.")
    if (body.get("tool_choice") or {}).get("type") in FORCING:
        invalid("Thinking may not be enabled when tool_choice forces tool use.")


def _check_replayed(messages: list[Json]) -> None:
    """The call that a tool result answers must come back with the thinking that led to it."""
    last = messages[-1]
    if last["role"] != "user" or not any(block["type"] == "tool_result" for block in blocks_of(last["content"])):
        return
    index = len(messages) - 2
    first = blocks_of(messages[index]["content"])[0]["type"] if index >= 0 else "thinking"
    if first not in ("thinking", "redacted_thinking"):
        invalid(
            f"messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When "
            "`thinking` is enabled, a final `assistant` message must start with a thinking block (preceding the "
            "lastmost set of `tool_use` and `tool_result` blocks)."
        )
