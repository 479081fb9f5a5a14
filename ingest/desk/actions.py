"""What can be done to the rejects selected in the list: replay, dismiss, export. At most a thousand at once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ingest.desk import rights
from ingest.desk.acting import act, tell_summary
from ingest.desk.exporting import as_csv, as_ndjson, records
from ingest.desk.log import note
from ingest.desk.replaying import MAX_AT_ONCE, dismiss, replay_many
from ingest.models import RejectedRecord
from ingest.sources import Source, find_source

MAX_NOTE = 500  # characters

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _QuerySet = models.QuerySet[RejectedRecord]
else:
    _QuerySet = models.QuerySet


class DeskActions:
    """The actions of the list of rejects."""

    admin_site: admin.AdminSite
    opts: Any

    @admin.action(permissions=["repair"], description="Replay the selected records")
    def replay_selected(self, request: HttpRequest, chosen: _QuerySet) -> None:
        """Replay them as they are, or as they were last corrected."""
        numbers = _numbers(request, chosen)
        user: Any = request.user
        if numbers:
            summary = act(request, lambda: replay_many(numbers, user=user, may_change=rights.changer(user)))
            if summary:
                tell_summary(request, summary)

    @admin.action(permissions=["dismiss"], description="Dismiss the selected records, with a note")
    def dismiss_selected(self, request: HttpRequest, chosen: _QuerySet) -> HttpResponse | None:
        """Ask for the note, then close them."""
        numbers = _numbers(request, chosen)
        why = request.POST.get("why", "").strip()[:MAX_NOTE]
        user: Any = request.user
        if not numbers:
            return None
        if not why:
            return self._ask_for_note(request, numbers)
        tables = rights.tables_of(user)
        closed = act(request, lambda: dismiss(numbers, tables=tables, why=why, user=user))
        if closed is not None:
            messages.success(request, f"Dismissed {closed:,}.")
            if closed < len(numbers):
                messages.warning(request, f"Left out {len(numbers) - closed:,} that were closed already.")
        return None

    def _ask_for_note(self, request: HttpRequest, numbers: list[int]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Dismiss records",
            "opts": self.opts,
            "numbers": numbers,
            "max_note": MAX_NOTE,
            "missing": "why" in request.POST,
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "ingest/desk/dismiss.html", context)

    @admin.action(permissions=["export"], description="Export the selected records as CSV")
    def export_csv(self, request: HttpRequest, chosen: _QuerySet) -> HttpResponse | None:
        """Give a file that can be posted back."""
        return self._export(request, chosen, "csv", "text/csv", as_csv)

    @admin.action(permissions=["export"], description="Export the selected records as NDJSON")
    def export_ndjson(self, request: HttpRequest, chosen: _QuerySet) -> HttpResponse | None:
        """Give a file that can be posted back."""
        return self._export(request, chosen, "ndjson", "application/x-ndjson", lambda rejects, _: as_ndjson(rejects))

    def _export(
        self,
        request: HttpRequest,
        chosen: _QuerySet,
        ending: str,
        kind: str,
        write: Callable[[list[RejectedRecord], Source], str],
    ) -> HttpResponse | None:
        rows = RejectedRecord.objects.filter(pk__in=_numbers(request, chosen))
        rejects = list(rows.defer("raw").order_by("pk"))
        tables = {reject.table for reject in rejects}
        source = find_source(tables.pop()) if len(tables) == 1 else None
        if source is None:
            if rejects:
                messages.error(request, "A file holds records of one table: filter by table first.")
            return None
        note(request.user, rejects, f"Exported as {ending.upper()}.")  # type: ignore[arg-type]  # staff, so a user
        unreadable = len(rejects) - len(records(rejects))
        response = HttpResponse(write(rejects, source), content_type=f"{kind}; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{source.table}_rejects.{ending}"'
        response["Forge-Left-Out"] = str(unreadable)  # records that could not be split into fields
        return response


def _numbers(request: HttpRequest, chosen: _QuerySet) -> list[int]:
    """Give the numbers of those selected, in order, or none after saying that they are too many."""
    numbers = sorted(chosen.values_list("pk", flat=True)[: MAX_AT_ONCE + 1])
    if len(numbers) > MAX_AT_ONCE:
        messages.error(request, f"At most {MAX_AT_ONCE:,} records at once. Nothing was done: narrow the list first.")
        return []
    return numbers
