"""Looking at the models is free, and counted like every authenticated request."""

import httpx

from tests.gateway import Gateway
from tests.journeys.rows import final_row


def get(gateway: Gateway, path: str) -> httpx.Response:
    return httpx.get(
        f"{gateway.address}/v1/{path}", headers={"x-api-key": gateway.api_key, "anthropic-version": "2023-06-01"}
    )


def test_a_list_of_models_leaves_one_row_without_a_cost(shared_gateway: Gateway) -> None:
    answer = get(shared_gateway, "models")

    row = final_row(shared_gateway, answer.headers["request-id"])

    assert answer.status_code == 200
    assert (row["endpoint"], row["outcome"], row["requests"], row["cost_picos"]) == ("models", "completed", 1, 0)
    assert not row["is_unpriced"]


def test_an_unknown_model_is_a_refusal_that_is_counted(shared_gateway: Gateway) -> None:
    answer = get(shared_gateway, "models/claude-nobody")

    row = final_row(shared_gateway, answer.headers["request-id"])

    assert answer.status_code == 404
    assert (row["endpoint"], row["outcome"], row["reason"], row["model"]) == ("models", "refused", "model_unknown", "")
