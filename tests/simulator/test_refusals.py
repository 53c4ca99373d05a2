"""What the API refuses, with its words."""

from typing import Any

import pytest

from tests.simulator.running import RunningSimulator, hello

Json = dict[str, Any]
NEWER = {"anthropic_version": "2026-10-21"}


def refused(simulator: RunningSimulator, body: Json | bytes, **headers: str | None) -> tuple[int, str, str]:
    answer = simulator.post(body, **headers)
    error = answer.json()["error"]
    assert answer.json()["request_id"] == answer.headers["request-id"]
    assert answer.headers["x-should-retry"] == "false"
    return answer.status_code, error["type"], error["message"]


@pytest.mark.parametrize(
    ("headers", "status", "kind", "message"),
    [
        ({"x_api_key": None}, 401, "authentication_error", "x-api-key header is required"),
        ({"x_api_key": ""}, 401, "authentication_error", "x-api-key header is required"),
        ({"x_api_key": "sk-invalid-1"}, 401, "authentication_error", "invalid x-api-key"),
        (
            {"x_api_key": None, "authorization": "Bearer sk-invalid-1"},
            401,
            "authentication_error",
            "Invalid bearer token",
        ),
        ({"anthropic_version": None}, 400, "invalid_request_error", "anthropic-version: header is required"),
        (
            {"anthropic_version": "2023-06-01, 2023-06-01"},
            400,
            "invalid_request_error",
            'anthropic-version: "2023-06-01, 2023-06-01" is not a valid version',
        ),
        (
            {"anthropic_beta": "pdfs-2024-09-25,made-up-2030-01-01"},
            400,
            "invalid_request_error",
            "Unexpected value(s) `made-up-2030-01-01` for the `anthropic-beta` header. Please consult our documentation"
            " at platform.claude.com/docs or try again without the header.",
        ),
    ],
)
def test_heads(
    simulator: RunningSimulator, headers: dict[str, str | None], status: int, kind: str, message: str
) -> None:
    assert refused(simulator, hello(), **headers) == (status, kind, message)


@pytest.mark.parametrize(
    "headers",
    [
        {"anthropic_version": "2023-01-01"},
        {"anthropic_version": "2026-10-21"},
        {"x_api_key": None, "authorization": "bearer anything"},
        {"anthropic_beta": "pdfs-2024-09-25, claude-code-20250219"},
    ],
)
def test_heads_that_are_fine(simulator: RunningSimulator, headers: dict[str, str | None]) -> None:
    assert simulator.post(hello(), **headers).status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "model: Field required"),
        ({"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "a"}]}, "max_tokens: Field required"),
        (hello(max_tokens="many"), "max_tokens: Input should be a valid integer"),
        (hello(max_tokens=-1), "max_tokens: Input should be greater than or equal to 0"),
        (hello(messages=[]), "messages: at least one message is required"),
        (hello(messages="hi"), "messages: Input should be a valid list"),
        (hello(messages=[{"content": "a"}]), "messages.0.role: Field required"),
        (
            hello(messages=[{"role": "tool", "content": "a"}]),
            "messages.0.role: Input should be 'user', 'assistant' or 'system'",
        ),
        (hello(messages=[{"role": "assistant", "content": "a"}]), 'messages: first message must use the "user" role'),
        (hello([{"type": "text"}]), "messages.0.content.0.text.text: Field required"),
        (hello([{"type": "text", "text": 7}]), "messages.0.content.0.text.text: Input should be a valid string"),
        (hello([{"text": "a"}]), "messages.0.content.0.type: Field required"),
        (hello([{"type": "text", "text": ""}]), "messages: text content blocks must be non-empty"),
        (hello([{"type": "text", "text": "  "}]), "messages: text content blocks must contain non-whitespace text"),
        (hello(foo=1), "foo: Extra inputs are not permitted"),
        (hello(context_management={"edits": []}), "context_management: Extra inputs are not permitted"),
        (hello(stream="yes"), "stream: Input should be a valid boolean"),
        (hello(temperature=1.5), "temperature: Input should be less than or equal to 1"),
        (hello(service_tier="gold"), "service_tier: Input should be 'auto' or 'standard_only'"),
        (hello(stop_sequences=[" "]), "stop_sequences: each stop sequence must contain non-whitespace"),
        (hello(system=[{"type": "image"}]), "system.0: Input tag 'image' found using 'type' does not match any of the"),
        (hello(inference_geo="us"), "inference_geo: this model does not support `inference_geo`"),
        (
            hello(max_tokens=200_000),
            "max_tokens: 200000 > 64000, which is the maximum allowed number of output tokens for "
            "claude-sonnet-4-5-20250929",
        ),
        (
            hello(
                model="claude-opus-5",
                messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
            ),
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ),
        (
            hello(messages=[{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]),
            'messages: Unexpected role "system".',
        ),
        (hello(model="claude-opus-4-7", temperature=0.5), "`temperature` is deprecated for this model."),
        (hello(temperature=0.5, top_p=0.5), "`temperature` and `top_p` cannot both be specified for this model."),
        (hello(model="claude-opus-5", speed="fast"), "speed: Extra inputs are not permitted"),
        (hello(model="claude-opus-4-7", speed="fast"), "speed: `fast` is not supported for claude-opus-4-7"),
    ],
)
def test_bodies(simulator: RunningSimulator, body: Json, message: str) -> None:
    status, kind, told = refused(simulator, body)

    assert (status, kind) == (400, "invalid_request_error")
    assert told.startswith(message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b'{"model": }', "Expecting value: line 1 column 11 (char 10)"),
        (b'{"max_tokens": NaN}', ""),
        (b"\xff\xfe", ""),
    ],
)
def test_what_is_no_json(simulator: RunningSimulator, body: bytes, message: str) -> None:
    status, _, told = refused(simulator, body)

    assert status == 400
    assert told.startswith(f"The request body is not valid JSON: {message}")


def test_no_object(simulator: RunningSimulator) -> None:
    assert refused(simulator, b"[1]")[0] == 400


@pytest.mark.parametrize("parameter", [{"temperature": 1}, {"top_p": 0.9}, {"top_k": 5}])
def test_the_newer_version_has_no_sampling(simulator: RunningSimulator, parameter: Json) -> None:
    assert simulator.post(hello(**parameter)).status_code == 200

    status, _, message = refused(simulator, hello(**parameter), **NEWER)

    assert (status, message) == (400, f"{next(iter(parameter))}: Extra inputs are not permitted")


def test_the_newer_version_has_no_documents_of_the_assistant(simulator: RunningSimulator) -> None:
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}}
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [document]},
        {"role": "user", "content": "b"},
    ]

    assert simulator.post(hello(messages=turns)).status_code == 200
    assert simulator.post(hello(messages=turns), **NEWER).status_code == 400


def test_the_newer_version_has_no_citations_of_the_user(simulator: RunningSimulator) -> None:
    cited = {"type": "text", "text": "a", "citations": [{"type": "char_location"}]}

    assert simulator.post(hello([cited])).status_code == 200
    assert simulator.post(hello([cited]), **NEWER).status_code == 400


def test_betas_open_their_keys(simulator: RunningSimulator) -> None:
    body = hello(model="claude-opus-5", speed="fast", context_management={"edits": []})

    answer = simulator.post(body, anthropic_beta="fast-mode-2026-02-01,context-management-2025-06-27")

    assert answer.json()["usage"]["speed"] == "fast"
    assert answer.json()["context_management"] == {"applied_edits": []}


def test_an_unknown_model(simulator: RunningSimulator) -> None:
    assert refused(simulator, hello(model="claude-9")) == (404, "not_found_error", "model: claude-9")


def test_a_prompt_beyond_the_window(simulator: RunningSimulator) -> None:
    status, _, message = refused(simulator, hello("word " * 200_000))

    assert status == 400
    assert message == "prompt is too long: 250006 tokens > 200000 maximum"


def test_a_full_window_leaves_less_room(simulator: RunningSimulator) -> None:
    message = simulator.post(hello("word " * 159_980, max_tokens=5_000)).json()

    assert message["stop_reason"] == "model_context_window_exceeded"


def test_too_many_bytes(simulator: RunningSimulator) -> None:
    answer = simulator.post(hello("x" * (32 << 20)))

    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "request_too_large")
    assert answer.json()["error"]["message"] == "Request exceeds the maximum size"


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/nothing", 404, "Not found"),
        ("GET", "/v1/messages", 405, "Method Not Allowed"),
        ("POST", "/v1/models", 405, "Method Not Allowed"),
        ("GET", "/v1/models/none", 404, "model: none"),
    ],
)
def test_paths(simulator: RunningSimulator, method: str, path: str, status: int, message: str) -> None:
    answer = simulator.client.request(method, path)

    assert (answer.status_code, answer.json()["error"]["message"]) == (status, message)
    assert ("allow" in answer.headers) == (status == 405)


def test_unknown_query_parameters_are_ignored(simulator: RunningSimulator) -> None:
    assert simulator.client.post("/v1/messages?beta=true&x=1", json=hello()).status_code == 200
