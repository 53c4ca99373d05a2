"""May this request run? Asked once before it is begun, told once when it is over.

No limit exists yet: every request is admitted. The relay already calls both ends, so a limit that is added here
holds for every endpoint.
"""

from dataclasses import dataclass

from apikeys.caller import Caller


@dataclass(frozen=True, slots=True)
class Demand:
    """What a request would take: tokens by estimate, and at most so much output."""

    model: str
    input_tokens: int
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A request was admitted in these scopes; ends with `Admission.settle`."""

    scopes: tuple[str, ...] = ()


_UNLIMITED = Grant()


class Admission:
    """Takes all limits of a request or none, and gives back what was not used."""

    async def admit(self, caller: Caller, demand: Demand) -> Grant:  # noqa: ARG002
        return _UNLIMITED

    def settle(self, grant: Grant, *, input_tokens: int, output_tokens: int, cost_picos: int) -> None:
        """The request is over and really took this much."""
