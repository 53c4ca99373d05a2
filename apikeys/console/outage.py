"""A database that does not answer is a 503 that says so, not a 500."""

from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from psycopg.errors import QueryCanceled

from apikeys.console import error_pages


class Outage:
    """Middleware for the console; the APIs under /v1/ have errors of their own shape."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if request.path.startswith("/v1/") or not isinstance(exception, OperationalError):
            return None
        return error_pages.unavailable(request, was_slow=isinstance(exception.__cause__, QueryCanceled))
