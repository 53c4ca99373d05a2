"""The console answers under its own names only; the APIs under whatever name a client found them."""

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware


class HostsOfTheConsole(CommonMiddleware):
    """Django's own middleware, whose `process_request` checks the Host header, past /v1/ alone."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path_info.startswith("/v1/") else super().process_request(request)
