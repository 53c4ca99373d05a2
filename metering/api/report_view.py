"""What both reports do alike: read the parameters, find the page, fill its buckets."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys.api.errors import Refused
from apikeys.api.views import AdminView
from apikeys.models import Workspace
from metering import reports
from metering.api import parameters
from metering.api.buckets import WIDTHS, Page, page_of, wire_time
from metering.api.parameters import BadParameter, Choice, Moment, Query, Texts
from metering.reports import Every, Selection, Sums

STARTING_AT = Moment("starting_at", "Buckets that start at this time or later; taken down to a whole bucket in UTC.")
ENDING_AT = Moment("ending_at", "Buckets that end by this time. Without it, the last bucket is the current one.")
_EVERY = {"1d": Every.DAY, "1h": Every.HOUR, "1m": Every.MINUTE}

Item = dict[str, Any]


class ReportView(AdminView):
    """`GET` alone. A subclass names its parameters and turns sums into items."""

    http_method_names = ("get", "head")
    bucket_width: Choice
    group_by: Texts

    def answer(self, request: Request) -> Response:
        """Raises Refused 400 for parameters that cannot be used."""
        query: Query = dict(request.query_params.lists())
        try:
            page = self._page(query)
            found = reports.sums(self.selection(query, page), *self.dimensions(query), every=_EVERY[page.width.name])
            return Response(self._body(page, found, self.group_by.read(query)))
        except BadParameter as error:
            raise Refused(400, str(error)) from None

    def dimensions(self, query: Query) -> tuple[str, ...]:
        """The dimensions of the rollups to group by."""
        raise NotImplementedError

    def results(self, lines: list[Sums], grouped_by: list[str]) -> list[Item]:
        """What the lines of one bucket become in it."""
        raise NotImplementedError

    def selection(self, query: Query, page: Page) -> Selection:
        """Simulated answers count until a real upstream exists; `include_simulated=true` asks for them anyway."""
        return Selection(
            organization_id=self.caller.organization_id,
            start=page.start,
            end=page.end,
            where=self.filters(query),
            include_simulated=parameters.read_flag(query, "include_simulated") or None,
        )

    def filters(self, query: Query) -> Mapping[str, list[str]]:
        return {}

    def workspace(self, line: Sums) -> str | None:
        """The workspace of a line. Reports call the default one null."""
        found = line.group.get("workspace_id") or None
        return None if found in self._default_workspaces else found

    @cached_property
    def _default_workspaces(self) -> frozenset[str]:
        ours = Workspace.objects.filter(organization_id=self.caller.organization_id, is_default=True)
        return frozenset(ours.values_list("id", flat=True))

    def _page(self, query: Query) -> Page:
        width = WIDTHS[self.bucket_width.read(query)]
        return page_of(
            starting_at=STARTING_AT.required(query),
            ending_at=ENDING_AT.read(query),
            now=timezone.now(),
            width=width,
            limit=parameters.read_limit(query, default=width.default_limit, largest=width.largest_limit),
            token=parameters.read_text(query, "page"),
        )

    def _body(self, page: Page, found: list[Sums], grouped_by: list[str]) -> dict[str, Any]:
        lines: dict[datetime | None, list[Sums]] = defaultdict(list)
        for line in found:
            lines[line.started_at].append(line)
        buckets = [
            {
                "starting_at": wire_time(start),
                "ending_at": wire_time(end),
                "results": self.results(lines[start], grouped_by),
            }
            for start, end in page.buckets()
        ]
        return {"data": buckets, "has_more": page.next_page is not None, "next_page": page.next_page}
