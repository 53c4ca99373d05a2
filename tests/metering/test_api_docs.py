import json
from typing import Any

import pytest
from django.test import Client

from apikeys.api.openapi import document


def _parameters(path: str) -> dict[str, Any]:
    operation = document()["paths"][path]["get"]
    return {parameter["name"]: parameter for parameter in operation["parameters"]}


def test_the_document_names_every_parameter_as_the_code_reads_it() -> None:
    usage = _parameters("/v1/organizations/usage_report/messages")
    cost = _parameters("/v1/organizations/cost_report")

    assert set(usage) == {
        "anthropic-version",
        "starting_at",
        "ending_at",
        "bucket_width",
        "limit",
        "page",
        "group_by[]",
        "account_ids[]",
        "api_key_ids[]",
        "service_account_ids[]",
        "workspace_ids[]",
        "models[]",
        "context_window[]",
        "service_tiers[]",
        "inference_geos[]",
        "speeds[]",
        "include_simulated",
    }
    assert usage["starting_at"]["required"]
    assert usage["bucket_width"]["schema"]["enum"] == ["1d", "1h", "1m"]
    assert cost["group_by[]"]["schema"]["items"]["enum"] == ["workspace_id", "description"]


@pytest.mark.filterwarnings("error")
def test_the_document_holds_the_admin_api_and_nothing_else() -> None:
    assert set(document()["paths"]) == {"/v1/organizations/cost_report", "/v1/organizations/usage_report/messages"}
    assert document()["paths"]["/v1/organizations/cost_report"]["get"]["security"] == [{"adminKey": []}, {"bearer": []}]


@pytest.mark.django_db
def test_the_page_and_the_document_need_no_sign_in() -> None:
    page = Client().get("/docs/api")
    served = Client().get("/docs/api.json")

    assert page.status_code == 200
    assert "GET /v1/organizations/cost_report" in page.content.decode()
    assert "&quot;amount&quot;: &quot;9.6925&quot;" in page.content.decode()
    assert json.loads(served.content) == document()
