"""A `request-id` for every answer of Django's views, as the relay gives one to each of its own."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from apikeys import ids


class RequestIds:
    """Middleware: `request.request_id` for audit entries and error pages, and the header of the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.request_id = ids.new_id("req")  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers.setdefault("request-id", request.request_id)  # type: ignore[attr-defined]
        return response
