"""`GET /v1/models` and `GET /v1/models/{id}`: the catalogue, for looking around."""

import orjson

from apikeys.caller import Caller
from metering import catalogue
from metering.capabilities import capabilities
from metering.catalogue import Model
from relay import errors
from relay.authentication import authenticate
from relay.call import Call
from relay.pipeline import check_head
from relay.query import Page, parse_page, parse_values
from relay.refusing import identity
from relay.services import Services

LIFECYCLES = ("active", "deprecated", "retired")
_SHOWN = ("active", "deprecated")


async def list_models(call: Call, services: Services) -> None:
    """Newest first, a page at a time; retired models only when `lifecycle[]` asks for them."""
    caller = await authenticate(call, services.authenticator)
    check_head(call, caller)
    query = call.scope["query_string"].decode("latin-1")
    wanted = parse_values(query, "lifecycle", LIFECYCLES) or _SHOWN
    models = [model for model in _newest_first() if model.lifecycle in wanted]
    await _answer(call, caller, _page(models, parse_page(query)))


async def get_model(call: Call, services: Services, name: str) -> None:
    """By id or alias, retired ones too."""
    caller = await authenticate(call, services.authenticator)
    check_head(call, caller)
    model = catalogue.find(name)
    if model is None:
        raise errors.model_unknown(name)
    await _answer(call, caller, described(model))


def described(model: Model) -> dict[str, object]:
    """A model in the API's shape (models reference, "ModelInfo")."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "created_at": f"{model.created.isoformat()}T00:00:00Z",
        "max_input_tokens": model.context_tokens,
        "max_tokens": model.max_output_tokens,
        "lifecycle": model.lifecycle,
        "deprecated_at": _midnight(model.deprecated_at),
        "retires_at": _midnight(model.retires_at),
        "line": model.line,
        "capabilities": capabilities(model),
    }


def _midnight(day: object) -> str | None:
    return f"{day}T00:00:00Z" if day else None


def _newest_first() -> list[Model]:
    return sorted(catalogue.MODELS, key=lambda model: model.created, reverse=True)


def _page(models: list[Model], page: Page) -> dict[str, object]:
    ids = [model.id for model in models]
    start, end = page.bounds(ids)
    shown = models[start:end]
    return {
        "data": [described(model) for model in shown],
        "has_more": start > 0 if page.is_backwards else end < len(models),
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
    }


async def _answer(call: Call, caller: Caller, value: dict[str, object]) -> None:
    content = orjson.dumps(value)
    headers = [errors.JSON, *identity(call, caller), (b"content-length", str(len(content)).encode())]
    call.is_answered = True
    await call.send({"type": "http.response.start", "status": 200, "headers": headers})
    await call.send({"type": "http.response.body", "body": content, "more_body": False})
