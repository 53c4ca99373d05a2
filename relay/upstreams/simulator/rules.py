"""What a model and an API version allow beyond the shape of the body."""

from typing import Any

from metering.catalogue import Model
from relay.upstreams.simulator.refusals import invalid


def check_rules(body: dict[str, Any], model: Model, *, version: str, betas: frozenset[str]) -> None:
    """Raises Refusal (400) for the first rule that the body breaks."""
    if body.get("max_tokens", 0) > model.max_output_tokens:
        invalid(
            f"max_tokens: {body['max_tokens']} > {model.max_output_tokens}, which is the maximum allowed number of "
            f"output tokens for {model.id}"
        )
