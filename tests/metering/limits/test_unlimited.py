"""An organization without limits needs no centre, once a draw has said that it has none."""

from typing import cast
from uuid import uuid4

import pytest

from apikeys.notifications import Listener
from metering.admission import Admission, Demand
from metering.limits.refusal import LimitsUnavailable

DEMAND = Demand("0b6a7c1e-5a64-4f0c-8a44-0d6a7a1c2b3d", None, "apikey_01acme", "claude-opus-5", "Opus 5", 10)


class Deaf:
    def subscribe(self, *_: object) -> None:
        pass


def after_a_draw(limits: list[list[object]]) -> Admission:
    """It has never had an answer to a heartbeat."""
    admission = Admission(cast(Listener, Deaf()), uuid4())
    share = admission._line(DEMAND.organization_id).share
    answer = {"version": 1, "now_us": 0, "results": [], "limits": limits}
    share.hear(share.ask((), 0.0), answer, 0.0)
    return admission


async def test_without_limits_a_request_goes_though_the_centre_is_away() -> None:
    admission = after_a_draw([])

    grant = await admission.admit(DEMAND)
    admission.confirm(grant)

    assert admission.states(DEMAND) == ()


@pytest.mark.parametrize("kind", ["requests", "concurrency", "spend:month"])
async def test_with_any_limit_it_does_not(kind: str) -> None:
    admission = after_a_draw([["key:apikey_02other", "", kind, 5]])

    with pytest.raises(LimitsUnavailable):
        await admission.admit(DEMAND)
