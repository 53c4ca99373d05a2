"""How the Admin API says no: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

import logging
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys import ids

log = logging.getLogger(__name__)

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    429: "rate_limit_error",
}


class Refused(exceptions.APIException):
    """An answer other than 200. `retry_after` in seconds."""

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status
        self.message = message
        self.retry_after = retry_after


def render(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler."""
    status, message, headers = _answer(error)
    if status >= 500:
        log.error("the Admin API answers %d", status, exc_info=error)
    kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id(context["request"])}
    return Response(body, status=status, headers=headers)


def request_id(request: Request) -> str:
    """The middleware's id, the same in the header and in the body."""
    known: str = getattr(request, "request_id", "") or ids.request_id()
    return known


def _answer(error: Exception) -> tuple[int, str, dict[str, str]]:
    """Status, message and headers."""
    match error:
        case Refused():
            headers = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
            return error.status_code, error.message, headers
        case exceptions.MethodNotAllowed():
            return 405, "Method Not Allowed", {}  # the view adds `allow`
        case exceptions.APIException():
            return error.status_code, str(error.detail), {}
        case Http404():
            return 404, "Not found", {}
        case OperationalError() | InterfaceError():
            return 503, "The database does not answer", {"retry-after": "5"}
        case _:
            return 500, "Internal server error", {}
