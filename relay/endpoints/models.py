"""`GET /v1/models` and `GET /v1/models/{id}`: the catalogue, for looking around."""

from collections.abc import Callable

import orjson

from metering import catalogue
from metering.capabilities import capabilities
from metering.catalogue import Model
from relay import errors, recording
from relay.authentication import authenticate
from relay.call import Call
from relay.errors import ApiError
from relay.pipeline import check_head
from relay.query import Page, parse_page, parse_values
from relay.refusing import identity, refuse
from relay.services import Services

ENDPOINT = "models"
LIFECYCLES = ("active", "deprecated", "retired")
_SHOWN = ("active", "deprecated")


async def list_models(call: Call, services: Services) -> None:
    """Newest first, a page at a time; retired models only when `lifecycle[]` asks for them."""

    def answer() -> dict[str, object]:
        query = call.scope["query_string"].decode("latin-1")
        wanted = parse_values(query, "lifecycle", LIFECYCLES) or _SHOWN
        return _page([model for model in _newest_first() if model.lifecycle in wanted], parse_page(query))

    await _serve(call, services, answer)


async def get_model(call: Call, services: Services, name: str) -> None:
    """By id or alias, retired ones too."""

    def answer() -> dict[str, object]:
        model = catalogue.find(name)
        if model is None:
            raise errors.model_unknown(name)
        return described(model)

    await _serve(call, services, answer)


async def _serve(call: Call, services: Services, answer: Callable[[], dict[str, object]]) -> None:
    """Free, but counted like every authenticated request."""
    caller = await authenticate(call, services.authenticator)
    call.set_clock(services.admission.now_us())
    try:
        check_head(call, caller)
        content = orjson.dumps(answer())
        metered = recording.begin(call, caller, ENDPOINT, services)
    except ApiError as refused:
        recording.refusal(call, caller, ENDPOINT, services, refused)
        await refuse(call, refused, caller)
        return
    metered.settle(outcome="completed", status=200)
    headers = [errors.JSON, *identity(call, caller), (b"content-length", str(len(content)).encode())]
    call.is_answered = True
    await call.send({"type": "http.response.start", "status": 200, "headers": headers})
    await call.send({"type": "http.response.body", "body": content, "more_body": False})


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
