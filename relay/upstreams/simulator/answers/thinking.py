"""When an answer begins with thinking, and whether one sees it."""

from metering.catalogue import Model
from relay.upstreams.simulator.answers.conversation import Conversation
from relay.upstreams.simulator.counting.prompt import Body

_OMITTED_BY_DEFAULT = (5, 0)


def thinks(body: Body, model: Model, conversation: Conversation) -> bool:
    """True when the answer begins with thinking. Adaptive thinking leaves it out only at low effort."""
    if body.get("max_tokens") == 0 or conversation.prefill:
        return False
    kind = (body.get("thinking") or {}).get("type") or _default(model)
    if kind == "between_tools":
        return conversation.tool_results is not None
    if kind == "adaptive":
        is_low = (body.get("output_config") or {}).get("effort") == "low"
        return model.always_thinks or not is_low
    return kind == "enabled"


def is_shown(body: Body, model: Model) -> bool:
    """Whether the thinking arrives as text, or only as a signature."""
    display = (body.get("thinking") or {}).get("display")
    return display != "omitted" if display else model.generation < _OMITTED_BY_DEFAULT


def _default(model: Model) -> str:
    """Without `thinking`, models that cannot do without it are adaptive."""
    return "disabled" if "disabled" in model.thinking else "adaptive"
