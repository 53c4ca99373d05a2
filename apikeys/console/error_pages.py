"""The pages for what went wrong: in the frame, with the request id and one next thing to do, and without a query."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        403,
        "This form has expired",
        "The form was sent without its security token. Go back, reload the page and send it again.",
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400, "Bad request", "The address or the form holds something that cannot be right.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        403,
        "Your role does not allow this",
        str(exception or "") or "An administrator of the organization can change your role.",
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404, "Not found", "There is nothing at this address, or nothing that you may see.")


def too_many(request: HttpRequest, *, wait_seconds: int | None = None) -> HttpResponse:
    """`wait_seconds`: until the next attempt counts, when known."""
    wait = "a few minutes" if wait_seconds is None else _in_words(wait_seconds)
    response = _page(request, 429, "Too many attempts", f"Please wait {wait}, then try again.")
    if wait_seconds is not None:
        response["retry-after"] = str(wait_seconds)
    return response


def failed(request: HttpRequest) -> HttpResponse:
    return _page(
        request, 500, "Something broke", "It is our fault, and it is in the log under the request id. Try again."
    )


def unavailable(request: HttpRequest, *, was_slow: bool = False) -> HttpResponse:
    """The database is away, or (`was_slow`) a query ran into the time limit of console pages."""
    text = (
        "This question takes too long to answer. Choose a shorter time or more filters."
        if was_slow
        else "The database does not answer. Requests that teams send are not affected for the first minute."
    )
    response = _page(request, 503, "Not available right now", text)
    response["retry-after"] = "5"
    return response


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context = {"status": status, "title": title, "text": text, "request_id": getattr(request, "request_id", "")}
    return HttpResponse(render_to_string("error.html", context, request=request), status=status)


def _in_words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} seconds" if seconds != 1 else "one second"
    minutes = -(-seconds // 60)
    return f"{minutes} minutes" if minutes != 1 else "one minute"
