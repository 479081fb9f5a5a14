"""The page of a job: its recipe, what a dry run found, how far it is; and the buttons that drive it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from ingest.desk.actions import rights
from ingest.desk.actions.replay import MAX_NOTE
from ingest.desk.bulk import jobs
from ingest.desk.bulk.preview import Preview, glance
from ingest.desk.bulk.recipe import Recipe, from_json
from ingest.desk.bulk.worker import STALLED
from ingest.desk.pages.bulk_forms import RecipeForm, as_lines, entered
from ingest.desk.pages.bulk_labels import described
from ingest.models import BulkJob
from ingest.rules.sources import find_source

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _ModelAdmin = admin.ModelAdmin[BulkJob]
else:
    _ModelAdmin = admin.ModelAdmin

TOO_LATE = "Somebody has changed this since you looked at it. Nothing was done: look again."
FINISHED = "Forge-Finished"  # tells the page's script that there is nothing more to wait for


class JobPages:
    """Views of one job, for whoever asked for it and superusers."""

    def __init__(self, model_admin: _ModelAdmin) -> None:
        self._admin = model_admin

    def show(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show it; POST drives it."""
        job = self._find(request, number)
        if request.method == "POST":
            return self._drive(request, job)
        return self._page(request, job, None)

    def progress(self, request: HttpRequest, number: int) -> HttpResponse:
        """Return the part of the page that changes while it is at work."""
        job = self._find(request, number)
        response = TemplateResponse(request, "ingest/desk/bulk/progress.html", self._facts(request, job))
        if job.status not in jobs.AT_WORK:
            response[FINISHED] = "yes"
        return response

    def _drive(self, request: HttpRequest, job: BulkJob) -> HttpResponse:
        self._require(request, job)
        if request.POST.get("seen", "") != _stamp(job):
            messages.error(request, TOO_LATE)
            return self._back(job)
        deeds: dict[str, Callable[[HttpRequest, BulkJob], HttpResponse]] = {
            "try": self._try,
            "carry_out": self._carry_out,
            "stop": self._stop,
            "go_on": self._go_on,
        }
        deed = deeds.get(request.POST.get("deed", ""))
        if deed is None:
            raise PermissionDenied
        return deed(request, job)

    def _try(self, request: HttpRequest, job: BulkJob) -> HttpResponse:
        table, recipe = "", None
        if job.action == BulkJob.Action.DISMISS:
            raise PermissionDenied
        if job.action == BulkJob.Action.REPAIR:
            table = self._table(request, _glance(request, job).tables)
            form = RecipeForm(request.POST.get("field", ""), request.POST)
            if not table or not form.field or not form.is_valid():
                return self._page(request, job, form)
            recipe = form.recipe()
        return self._started(request, job, jobs.try_out(job, table=table, recipe=recipe), "Tried out")

    def _carry_out(self, request: HttpRequest, job: BulkJob) -> HttpResponse:
        why = request.POST.get("why", "").strip()[:MAX_NOTE]
        if job.action == BulkJob.Action.DISMISS and not why:
            messages.error(request, "Say why: the note is kept with each record.")
            return self._back(job)
        if job.action == BulkJob.Action.REPAIR and job.status != BulkJob.Status.DONE:
            raise PermissionDenied  # a recipe is tried out first
        return self._started(request, job, jobs.carry_out(job, why=why), "Carried out")

    def _stop(self, request: HttpRequest, job: BulkJob) -> HttpResponse:
        if jobs.stop(job):
            self._admin.log_change(request, job, "Stopped.")
            messages.success(request, "It is stopped. What was done stays done.")
        return self._back(job)

    def _go_on(self, request: HttpRequest, job: BulkJob) -> HttpResponse:
        return self._started(request, job, jobs.go_on(job), "Gone on with")

    def _started(self, request: HttpRequest, job: BulkJob, changed: bool, what: str) -> HttpResponse:  # noqa: FBT001
        if not changed:
            messages.error(request, TOO_LATE)
            return self._back(job)
        job.refresh_from_db()
        self._admin.log_change(request, job, f"{what}: {described(job)}")
        total = job.total
        if total is None:
            preview = _glance(request, job)
            small = preview.small
        else:
            small = total <= jobs.SMALL_RECORDS
        jobs.hand_over(job, small=small)
        return self._back(job)

    def _page(self, request: HttpRequest, job: BulkJob, form: RecipeForm | None) -> HttpResponse:
        may = self._may(request, job)
        editable = may and job.dry_run and job.status not in jobs.AT_WORK
        facts = self._facts(request, job) | {
            "may": may,
            "editable": editable,
            "max_note": MAX_NOTE,
            "errors": bool(form),
        }
        if editable and (job.status != BulkJob.Status.DONE or job.action == BulkJob.Action.REPAIR):
            preview = _glance(request, job)
            facts |= {"preview": preview}
            if job.action == BulkJob.Action.REPAIR:
                facts |= self._recipe(request, job, preview, form)
        context = {
            **self._admin.admin_site.each_context(request),
            "opts": self._admin.opts,
            "media": self._admin.media,
            "title": described(job),
            "subtitle": None,
            **facts,
        }
        return TemplateResponse(request, "ingest/desk/bulk/job.html", context)

    def _recipe(self, request: HttpRequest, job: BulkJob, preview: Preview, form: RecipeForm | None) -> dict[str, Any]:
        """Gather what the form of a recipe shows: the table, its fields (the wrong ones first), and their values."""
        table = self._table(request, preview.tables) or (job.table if job.table in preview.tables else "")
        source = find_source(table)
        if source is None:
            return {"tables": preview.tables}
        with connection.cursor() as cursor:
            wrong = preview.fields(cursor, table)
        names = [*wrong, *(name for name in source.contract.names if name not in wrong)]
        recipe = from_json(job.recipe) if job.recipe else None
        field = form.field if form else request.GET.get("field", recipe.field if recipe else "")
        if field not in names and names:
            field = names[0]
        with connection.cursor() as cursor:
            values = preview.values(cursor, table, field)
        if form is None:
            form = RecipeForm(field, initial=_start(recipe, field, values))
        return {
            "table": table,
            "fields": [(name, wrong.get(name, 0)) for name in names],
            "field": field,
            "values": values,
            "form": form,
        }

    def _facts(self, request: HttpRequest, job: BulkJob) -> dict[str, Any]:
        summary = jobs.summary_for(request.user, job)
        at_work = job.status in jobs.AT_WORK
        stalled = at_work and job.touched_at is not None and timezone.now() - job.touched_at > STALLED
        batches = [pk for of_chunk in job.chunks.order_by("place").values_list("batches", flat=True) for pk in of_chunk]
        return {
            "job": job,
            "summary": summary,
            "left": summary.left.most_common(),
            "dry": jobs.dry_summary_of(job),
            "percent": 100 * job.done // job.total if job.total else 0,
            "at_work": at_work,
            "stalled": stalled,
            "batches": batches[:20],
            "more_batches": max(len(batches) - 20, 0),
            "seen": _stamp(job),
            "many": (job.total or 0) > jobs.SMALL_RECORDS,
        }

    def _table(self, request: HttpRequest, tables: tuple[str, ...]) -> str:
        """Name the table that a recipe is for: the only one, or the one that was chosen."""
        asked = (request.POST if request.method == "POST" else request.GET).get("table", "")
        if len(tables) == 1:
            return tables[0]
        return asked if asked in tables else ""

    def _find(self, request: HttpRequest, number: int) -> BulkJob:
        if not self._admin.has_view_permission(request):
            raise PermissionDenied
        job: BulkJob | None = jobs.jobs_of(request.user).filter(pk=number).first()
        if job is None:
            raise Http404
        return job

    def _may(self, request: HttpRequest, job: BulkJob) -> bool:
        return rights.may(request.user, "dismiss" if job.action == BulkJob.Action.DISMISS else "repair")

    def _require(self, request: HttpRequest, job: BulkJob) -> None:
        if not self._may(request, job):
            raise PermissionDenied

    def _back(self, job: BulkJob) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:ingest_bulkjob_change", args=[job.pk]))


def _glance(request: HttpRequest, job: BulkJob) -> Preview:
    user: Any = request.user  # signed in
    with connection.cursor() as cursor:
        return glance(cursor, job, user)


def _stamp(job: BulkJob) -> str:
    """Tell one state of a job from another: a button works on what was seen."""
    stands = "at work" if job.status in jobs.AT_WORK else job.status
    return f"{stands} {job.finished_at.isoformat() if job.finished_at else ''}"


def _start(recipe: Recipe | None, field: str, values: list[tuple[str, int]]) -> dict[str, Any]:
    if recipe is not None and recipe.field == field:
        return entered(recipe)
    lines = as_lines((value, None) for value, _ in values if "\n" not in value)
    return {"how": "set", "pairs": lines}
