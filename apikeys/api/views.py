"""What every view of the Admin API does alike."""

from collections.abc import Iterable
from typing import Any, NoReturn, cast

from django.http import HttpRequest
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apikeys.api.admin_key import HasAdminKey, KeyAuthentication
from apikeys.api.errors import Refused, request_id
from apikeys.caller import Caller

VERSIONS = frozenset({"2023-01-01", "2023-06-01", "2026-10-21"})


class AlwaysJson(BaseContentNegotiation):
    """The API speaks JSON, whatever `accept` says."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        only = next(iter(renderers))
        return only, only.media_type


class AdminView(APIView):
    """A view under `/v1/organizations/`: first who calls (`self.caller`), then the version, then the rest."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (HasAdminKey,)
    content_negotiation_class = AlwaysJson
    caller: Caller

    def perform_authentication(self, request: Request) -> None:
        self.caller = cast(Caller, request.auth)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        version = request.headers.get("anthropic-version")
        if not version:
            raise Refused(400, "anthropic-version: header is required")
        if version not in VERSIONS:
            raise Refused(400, f'anthropic-version: "{version}" is not a valid version')

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """No `anthropic-workspace-id`: an admin key belongs to no workspace."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["request-id"] = request_id(request)
        if hasattr(self, "caller"):
            answer["anthropic-organization-id"] = self.caller.organization_id
        return answer


class UnknownPath(AdminView):
    """Whatever else is asked for, by those who may ask."""

    schema = None

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> NoReturn:
        """No method has a handler here, so each of them ends up in this one."""
        raise Refused(404, "Not found")

    options = http_method_not_allowed
