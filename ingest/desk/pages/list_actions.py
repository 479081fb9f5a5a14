"""What can be done to the rejects selected in the list, or to all that it shows: repair, replay, dismiss, export.

Whatever is done to many is a job. One of up to a thousand is carried out while the person waits; a longer one, and
every recipe, shows first what it is about to do.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db import connection, models
from django.db.models import BigIntegerField
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from ingest.desk.actions.export import FORMS, count_unsplit, in_parts, tables_of_rejects
from ingest.desk.actions.log import note, note_many
from ingest.desk.actions.replay import MAX_NOTE
from ingest.desk.bulk.jobs import SMALL_RECORDS, do_at_once, draft
from ingest.desk.pages.bulk_labels import which
from ingest.desk.pages.messages import tell_job
from ingest.desk.search.cells import by_index
from ingest.desk.search.listing import look_at_all
from ingest.models import BulkJob, RejectedRecord
from ingest.rights import viewable_tables
from ingest.rules.sources import find_source

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _QuerySet = models.QuerySet[RejectedRecord]
else:
    _QuerySet = models.QuerySet


class DeskActions:
    """The actions of the list of rejects."""

    admin_site: admin.AdminSite
    opts: Any
    get_changelist_instance: Any

    @admin.action(permissions=["repair"], description="Repair by a recipe, with a preview")
    def repair_selected(self, request: HttpRequest, chosen: _QuerySet) -> HttpResponseBase:
        """Lead to the page on which a recipe is written and tried out."""
        return self._job(request, BulkJob.Action.REPAIR, chosen)

    @admin.action(permissions=["repair"], description="Replay")
    def replay_selected(self, request: HttpRequest, chosen: _QuerySet) -> HttpResponseBase | None:
        """Replay them as they are, or as they were last corrected."""
        numbers = _numbers(chosen)
        if len(numbers) > SMALL_RECORDS:
            return self._job(request, BulkJob.Action.REPLAY, chosen)
        return self._at_once(request, BulkJob.Action.REPLAY, numbers)

    @admin.action(permissions=["dismiss"], description="Dismiss, with a note")
    def dismiss_selected(self, request: HttpRequest, chosen: _QuerySet) -> HttpResponseBase | None:
        """Ask for the note, then close them."""
        numbers = _promised(request) or _numbers(chosen)
        if len(numbers) > SMALL_RECORDS:
            return self._job(request, BulkJob.Action.DISMISS, chosen)
        why = request.POST.get("why", "").strip()[:MAX_NOTE]
        if not why:
            return self._ask_for_note(request, numbers)
        return self._at_once(request, BulkJob.Action.DISMISS, numbers, why)

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

    @admin.action(permissions=["export"], description="Export")
    def export_selected(self, request: HttpRequest, chosen: _QuerySet) -> HttpResponseBase | None:
        """Say which files there are and what each is for, then return the one that was asked for."""
        across = _all_of_list(request)
        numbers = _promised(request) or (self._all_numbers(request) if across else _numbers(chosen))
        with connection.cursor() as cursor:
            tables = tables_of_rejects(cursor, numbers)
            unsplit = count_unsplit(cursor, numbers)
        source = find_source(tables[0]) if len(tables) == 1 else None
        if source is None:
            if tables:
                messages.error(request, "A file holds records of one table: filter by table first.")
            return None
        form = FORMS.get(request.POST.get("form", ""))
        if form is None:
            return self._ask_for_form(request, numbers, across=across, table=source.table, unsplit=unsplit)
        user: Any = request.user
        self._note_export(user, request, numbers, form.name)
        response = StreamingHttpResponse(
            in_parts(numbers, source, form), content_type=f"{form.media_type}; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{source.table}_rejects_{form.ending}"'
        return response

    def _ask_for_form(self, request: HttpRequest, numbers: list[int], *, across: bool, **facts: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **facts,
            "title": "Export records",
            "opts": self.opts,
            "count": len(numbers),
            "numbers": numbers,
            "across": across and len(numbers) > SMALL_RECORDS,
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "ingest/desk/export.html", context)

    def _note_export(self, user: Any, request: HttpRequest, numbers: Sequence[int], form: str) -> None:
        message = f"Exported as {form}."
        if len(numbers) <= SMALL_RECORDS:
            note(user, RejectedRecord.objects.filter(pk__in=numbers).only("pk", "table", "natural_key"), message)
        else:
            asked = which(BulkJob(asked=self._asked(request)))
            note_many(user, f"{len(numbers):,} rejected records ({asked})", message)

    def _job(self, request: HttpRequest, action: str, chosen: _QuerySet) -> HttpResponseBase:
        """Make a job of those selected, or of all that the list shows, and lead to its page."""
        numbers = None if _all_of_list(request) else _numbers(chosen)
        user: Any = request.user
        job = draft(action, user=user, asked=self._asked(request), numbers=numbers)
        return _page_of(job)

    def _at_once(self, request: HttpRequest, action: str, numbers: list[int], why: str = "") -> HttpResponse | None:
        """Do it while the person waits, and tell what came of it; one that failed is gone on with at its page."""
        user: Any = request.user
        job = do_at_once(action, user=user, numbers=numbers, why=why)
        if job.status != BulkJob.Status.DONE:
            return _page_of(job)
        tell_job(request, job)
        return None

    def _asked(self, request: HttpRequest) -> dict[str, str]:
        """Return what the list is narrowed to."""
        asked = self.get_changelist_instance(request).listing.asked
        return {name: value for name, value in vars(asked).items() if value}

    def _all_numbers(self, request: HttpRequest) -> list[int]:
        listing = self.get_changelist_instance(request).listing
        with connection.cursor() as cursor, by_index(cursor):
            query, facts = look_at_all(cursor, listing.asked, viewable_tables(request.user)).whole()
            cursor.execute(query, facts)
            return sorted(number for (number,) in cursor.fetchall())


def _page_of(job: BulkJob) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:ingest_bulkjob_change", args=[job.pk]))


def _all_of_list(request: HttpRequest) -> bool:
    """Tell whether the person chose more than the boxes that are ticked."""
    return request.POST.get("select_across") == "1"


def _promised(request: HttpRequest) -> list[int]:
    """Return the numbers that the page between has named to the person: what was promised is done, no more, no less.

    They come in one field, for the whole list is more than a page of it, and more fields than a form may have.
    """
    named = [int(number) for number in request.POST.get("numbers", "").split()[:SMALL_RECORDS] if number.isdecimal()]
    may_be_seen = RejectedRecord.objects.filter(table__in=viewable_tables(request.user))
    possible = [number for number in named if number <= BigIntegerField.MAX_BIGINT]
    return sorted(may_be_seen.filter(pk__in=possible).values_list("pk", flat=True))


def _numbers(chosen: _QuerySet) -> list[int]:
    """Return the numbers of those selected, in order: at most one more than a small job has."""
    return sorted(chosen.values_list("pk", flat=True)[: SMALL_RECORDS + 1])
