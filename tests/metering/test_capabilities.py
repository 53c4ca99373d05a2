import pytest
from anthropic.types import ModelCapabilities

from metering.capabilities import capabilities
from metering.catalogue import MODELS, Model, find


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_model_tells_all_that_the_official_package_reads(model: Model) -> None:
    told = capabilities(model)

    assert ModelCapabilities.model_validate(told).to_dict() == told
    assert set(told) == set(ModelCapabilities.model_fields)


def test_support_for_any_part_is_support() -> None:
    haiku = find("claude-3-5-haiku-20241022")
    assert haiku is not None

    told = capabilities(haiku)

    assert told["server_tools"]["supported"]
    assert not told["server_tools"]["code_execution"]["supported"]
    assert not told["thinking"]["supported"]
    assert told["thinking"]["types"]["disabled"]["supported"]
