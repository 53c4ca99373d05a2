"""The Admin API as an OpenAPI document, made from its views, and as a page that people can read."""

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator


class _KeyScheme(OpenApiAuthenticationExtension):
    """Known to drf-spectacular by being defined."""

    target_class = "apikeys.api.admin_key.KeyAuthentication"
    name = ["adminKey", "bearer"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [{"type": "apiKey", "in": "header", "name": "x-api-key"}, {"type": "http", "scheme": "bearer"}]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        """Either of them, not both."""
        return [{name: []} for name in self.name]


@cache
def document() -> dict[str, Any]:
    """The whole document. The same for everybody: it says what can be asked, not what is there."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


def as_json(request: HttpRequest) -> JsonResponse:
    return JsonResponse(document(), json_dumps_params={"indent": 2})


def as_page(request: HttpRequest) -> HttpResponse:
    """Without a script: one section for each operation."""
    operations = [
        {"method": method.upper(), "path": path, "answer": _answer(operation), **operation}
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]
    return render(request, "api_docs.html", {"info": document()["info"], "operations": operations})


def _answer(operation: dict[str, Any]) -> str:
    """What an answer looks like."""
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return json.dumps(_example(schema), indent=2)


def _example(schema: dict[str, Any]) -> Any:
    if schema.get("nullable"):
        return None
    match schema["type"]:
        case "object":
            return {name: _example(each) for name, each in schema["properties"].items()}
        case "array":
            return [_example(schema["items"])]
        case "integer":
            return 0
        case "boolean":
            return False
        case _:
            return schema.get("example") or schema.get("enum", ["..."])[0]
