"""What the API answers when it will not answer: status, error type, message."""

from typing import Any, NoReturn

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
RETRIED = frozenset({408, 409, 429})


class Refusal(Exception):
    """An error answer. `headers` are sent beside the usual ones."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        error_type: str = "",
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_type = error_type or error_type_of(status)
        self.details = details
        self.headers = headers or {}

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON body, as every client of the API expects it."""
        error: dict[str, Any] = {"type": self.error_type, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        return {"type": "error", "error": error, "request_id": request_id}


def invalid(message: str) -> NoReturn:
    """400 `invalid_request_error`."""
    raise Refusal(400, message)


def error_type_of(status: int) -> str:
    """The `error.type` that goes with a status."""
    return TYPES.get(status) or ("api_error" if status >= 500 else "invalid_request_error")


def should_retry(status: int) -> bool:
    """What `x-should-retry` says: the statuses that the official SDKs retry."""
    return status in RETRIED or status >= 500
