"""Our own refusals, and how each looks on the wire (errors reference: body, statuses, exact messages)."""

from typing import Any

import orjson

JSON = (b"content-type", b"application/json")

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class ApiError(Exception):
    """A refusal with the status, type and message that a client of the Claude API expects.

    `reason` is the short name that the usage row keeps; `code` goes out as `error.details.error_code`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        reason: str,
        code: str = "",
        retry_after: int | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.code = code
        self.retry_after = retry_after
        self.headers = headers

    @property
    def type(self) -> str:
        return error_type(self.status)

    def body(self, request_id: str) -> bytes:
        details = {"error_code": self.code} if self.code else None
        return error_body(self.type, self.message, request_id, details)


def error_type(status: int) -> str:
    return _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")


def error_body(type_: str, message: str, request_id: str, details: dict[str, Any] | None = None) -> bytes:
    error: dict[str, Any] = {"type": type_, "message": message}
    if details:
        error["details"] = details
    return orjson.dumps({"type": "error", "error": error, "request_id": request_id})


def error_event(type_: str, message: str, request_id: str) -> bytes:
    """The frame that ends a stream which cannot be finished, so that no client takes it for complete."""
    return b"event: error\ndata: " + error_body(type_, message, request_id) + b"\n\n"


def key_missing() -> ApiError:
    return ApiError(401, "x-api-key header is required", reason="key_missing")


def key_invalid(*, is_bearer: bool) -> ApiError:
    return ApiError(401, "Invalid bearer token" if is_bearer else "invalid x-api-key", reason="key_invalid")


def keys_disagree() -> ApiError:
    return ApiError(401, "invalid x-api-key: the request carries two different keys", reason="keys_disagree")


def keys_unknown() -> ApiError:
    """We cannot tell good keys from bad ones right now: never a 401, which clients would believe."""
    return ApiError(503, "API keys cannot be verified right now", reason="keys_unavailable", retry_after=1)


def too_many_bad_keys(seconds: int) -> ApiError:
    message = "Too many requests with invalid API keys from this address"
    return ApiError(429, message, reason="too_many_bad_keys", retry_after=seconds)


def not_an_api_key() -> ApiError:
    return ApiError(403, "An Admin API key cannot be used on this endpoint", reason="admin_key")


def path_unknown() -> ApiError:
    return ApiError(404, "Not found", reason="path_unknown")


def method_wrong(allowed: str) -> ApiError:
    headers = ((b"allow", allowed.encode()),)
    return ApiError(405, "Method Not Allowed", reason="method_wrong", headers=headers)


def workspace_foreign() -> ApiError:
    return ApiError(404, "Not found", reason="workspace_foreign")


def version_missing() -> ApiError:
    return ApiError(400, "anthropic-version: header is required", reason="version_missing")


def version_unknown(version: str) -> ApiError:
    return ApiError(400, f'anthropic-version: "{version}" is not a valid version', reason="version_unknown")


def encoding_unsupported(encoding: str) -> ApiError:
    message = f"content-encoding: {encoding} is not supported; send the body as it is"
    return ApiError(400, message, reason="encoding_unsupported", code="request_body_encoding_unsupported")


def body_too_large() -> ApiError:
    return ApiError(413, "Request exceeds the maximum allowed number of bytes.", reason="body_too_large")


def client_gone() -> ApiError:
    """Nobody reads this answer: it is for the row."""
    return ApiError(499, "The client left before its request was complete", reason="client_gone")


def body_too_slow() -> ApiError:
    message = "The request body did not arrive in time"
    return ApiError(400, message, reason="body_too_slow", code="request_body_timeout")


def body_invalid(message: str) -> ApiError:
    return ApiError(400, message, reason="body_invalid")


def model_unknown(name: str) -> ApiError:
    return ApiError(404, f"model: {name}", reason="model_unknown")


def overloaded(reason: str, *, retry_after: int = 1) -> ApiError:
    return ApiError(529, "Overloaded", reason=reason, retry_after=retry_after)


def upstream_down() -> ApiError:
    return ApiError(503, "The upstream cannot be reached", reason="upstream_down", retry_after=1)


def upstream_timed_out() -> ApiError:
    return ApiError(504, "The upstream did not answer in time", reason="upstream_timed_out")


def upstream_broken() -> ApiError:
    return ApiError(502, "The upstream closed the connection without an answer", reason="upstream_cut")


def upstream_redirected() -> ApiError:
    return ApiError(502, "The upstream answered with a redirect", reason="upstream_redirected")


def upstream_status_unknown() -> ApiError:
    return ApiError(502, "The upstream answered with a status that does not exist", reason="upstream_status_unknown")


def upstream_account_refused(*, retry_after: int = 30) -> ApiError:
    """The operator's account was refused; for the tenant that is our fault, not theirs."""
    return ApiError(503, "The upstream is not available", reason="upstream_refused_account", retry_after=retry_after)


def internal() -> ApiError:
    return ApiError(500, "Internal server error", reason="internal")


def shutting_down() -> ApiError:
    return ApiError(503, "The server is being restarted", reason="shutdown", retry_after=1)
