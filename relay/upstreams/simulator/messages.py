"""`POST /v1/messages` and `/v1/messages/count_tokens`."""

from collections.abc import Iterator
from typing import Any

from metering.catalogue import Model, find
from relay.upstreams.simulator.answers.answer import compose
from relay.upstreams.simulator.answers.message import Message
from relay.upstreams.simulator.call import Call, Reply
from relay.upstreams.simulator.checks.body import check_count, check_message
from relay.upstreams.simulator.checks.rules import check_rules
from relay.upstreams.simulator.checks.turns import check_turns
from relay.upstreams.simulator.counting.prompt import Prompt, read_prompt
from relay.upstreams.simulator.counting.usage import Terms
from relay.upstreams.simulator.ids import new_id
from relay.upstreams.simulator.oddities import distorted, distorted_events
from relay.upstreams.simulator.refusals import Refusal, invalid

Json = dict[str, Any]
PING: Json = {"type": "ping"}


def create(call: Call) -> Reply:
    """A message, whole or as a stream."""
    check_message(call.body, call.betas)
    check_turns(call.body)
    model = _model(call.body)
    check_rules(call.body, model, version=call.head.version, betas=call.betas)
    prompt = _fitting(read_prompt(call.body, model), model)
    message = _message(call, model, prompt)
    if call.body.get("stream"):
        events = distorted_events(message.events(call.script.tokens_per_event), call.script.usage)
        return Reply(events=_with_ping(events))
    return Reply(distorted(message.whole(), call.script.usage))


def count_tokens(call: Call) -> Reply:
    """How many input tokens the same body would be billed for."""
    check_count(call.body, call.betas)
    check_turns(call.body)
    model = _model(call.body)
    check_rules(call.body, model, version=call.head.version, betas=call.betas)
    return Reply({"input_tokens": read_prompt(call.body, model).tokens})


def _message(call: Call, model: Model, prompt: Prompt) -> Message:
    body = call.body
    answer = compose(body, model, call.script, room=model.context_tokens - prompt.tokens)
    mode = [body.get("thinking"), body.get("tool_choice"), body.get("output_config")]
    cached = call.cache.account(prompt, model=model, owner=call.owner, mode=mode, now=call.now)
    return Message(new_id("msg"), model.id, answer, cached, _terms(body, model), _extras(body))


def _model(body: Json) -> Model:
    model = find(body["model"])
    if model is None:
        raise Refusal(404, f"model: {body['model']}")
    return model


def _fitting(prompt: Prompt, model: Model) -> Prompt:
    if prompt.tokens > model.context_tokens:
        invalid(f"prompt is too long: {prompt.tokens} tokens > {model.context_tokens} maximum")
    return prompt


def _terms(body: Json, model: Model) -> Terms:
    geo = (body.get("inference_geo") or "global") if model.has_us_inference else "not_available"
    is_fast = body.get("speed") == "fast" and model.fast_mode == "fast"
    return Terms(inference_geo=geo, speed="fast" if is_fast else "standard")


def _extras(body: Json) -> Json:
    """Fields of the answer that only requests with the matching parameter get."""
    extras: Json = {}
    if "diagnostics" in body:
        extras["diagnostics"] = None
    if "context_management" in body:
        extras["context_management"] = {"applied_edits": []}
    return extras


def _with_ping(events: Iterator[Json]) -> Iterator[Json]:
    """A ping where the real API sends its first: after the first block has opened."""
    for event in events:
        yield event
        if event["type"] == "content_block_start" and event["index"] == 0:
            yield PING
