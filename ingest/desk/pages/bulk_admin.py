"""Bulk jobs in the admin: the list of them, in which one is found again whose page was closed."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path

from core.web.read_only_admin import ReadOnlyAdmin
from ingest.desk.actions import rights
from ingest.desk.bulk.jobs import jobs_of
from ingest.desk.pages.bulk_labels import described, which
from ingest.desk.pages.bulk_views import JobPages
from ingest.desk.pages.html import status_chip
from ingest.models import BulkJob

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _ModelAdmin = admin.ModelAdmin[BulkJob]
    _QuerySet = models.QuerySet[BulkJob]
else:
    _ModelAdmin, _QuerySet = admin.ModelAdmin, models.QuerySet


class BulkJobAdmin(ReadOnlyAdmin, _ModelAdmin):
    """One's own jobs (a superuser's: all), the newest first."""

    list_display = ("what", "records", "state", "progress", "user", "created_at")
    ordering = ("-created_at",)
    sortable_by = ()
    actions = None
    show_full_result_count = False
    list_per_page = 50
    list_select_related = ("user",)

    class Media:
        css: ClassVar = {"all": ("ingest/admin.css", "ingest/desk.css")}

    def get_queryset(self, request: HttpRequest) -> _QuerySet:
        """Leave out those that were never begun."""
        return jobs_of(request.user).exclude(status=BulkJob.Status.DRAFT).order_by(*self.ordering)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the desk's right."""
        return rights.may(request.user, "view")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show it to those who work here."""
        return self.has_view_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Head the list by its name."""
        return super().changelist_view(request, {"title": "Bulk jobs", **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        """Put our page in the place of Django's form."""
        pages, view = JobPages(self), self.admin_site.admin_view
        return [
            path("<int:number>/change/", view(pages.show), name="ingest_bulkjob_change"),
            path("<int:number>/progress/", view(pages.progress), name="ingest_bulkjob_progress"),
            path("", view(self.changelist_view), name="ingest_bulkjob_changelist"),
        ]

    @admin.display(description="what")
    def what(self, job: BulkJob) -> str:
        """Say what it does."""
        return described(job) + (" (dry run)" if job.dry_run else "")

    @admin.display(description="which")
    def records(self, job: BulkJob) -> str:
        """Say to which records."""
        return which(job)

    @admin.display(description="status")
    def state(self, job: BulkJob) -> str:
        """Show the status as a chip."""
        return status_chip(job)

    @admin.display(description="done")
    def progress(self, job: BulkJob) -> str:
        """Say how far it is."""
        return f"{job.done:,} of {job.total:,}" if job.total is not None else "-"
