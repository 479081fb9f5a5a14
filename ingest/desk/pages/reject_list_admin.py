"""Rejects in the admin: the list of them."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.timesince import timesince

from core.web.null_characters import REPLACEMENT
from ingest.desk.actions import rights
from ingest.desk.pages.changelist import FILTERS, PARAMETERS, DeskList
from ingest.desk.pages.html import chips, status_chip, whereabouts
from ingest.desk.pages.list_actions import DeskActions
from ingest.desk.pages.reject_views import RejectPages
from ingest.models import RejectedRecord
from ingest.rights import may_rows, viewable_tables
from ingest.table_admin.big_tables import BigTableAdmin
from ingest.table_admin.values import legible

SHOWN_CHARACTERS = 60

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _QuerySet = models.QuerySet[RejectedRecord]
else:
    _QuerySet = models.QuerySet


class RejectedRecordAdmin(DeskActions, BigTableAdmin):
    """Refused records, those seen last at the top."""

    list_display = ("record_key", "table", "why", "where", "state", "age", "seen")
    left_out_of_list: ClassVar = ("raw", "record", "correction", "raw_sha256", "waits_for")
    list_filter = FILTERS
    actions = ("repair_selected", "replay_selected", "dismiss_selected", "export_selected")
    actions_selection_counter = True
    change_list_template = "ingest/desk/list.html"

    def tables(self, request: HttpRequest) -> list[str]:
        """Name the tables whose rejects the user may see."""
        return viewable_tables(request.user)

    def get_queryset(self, request: HttpRequest) -> _QuerySet:
        """Show rejects only of tables that the user may view."""
        rows: _QuerySet = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(table__in=self.tables(request))

    def has_view_permission(self, request: HttpRequest, obj: RejectedRecord | None = None) -> bool:
        """Ask for the desk's right, and the table's."""
        return rights.may(request.user, "view") and (obj is None or may_rows(request.user, obj.table, "view"))

    def has_repair_permission(self, request: HttpRequest) -> bool:
        """Say who repairs and replays."""
        return rights.may(request.user, "repair")

    def has_dismiss_permission(self, request: HttpRequest) -> bool:
        """Say who dismisses."""
        return rights.may(request.user, "dismiss")

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Say who exports."""
        return rights.may(request.user, "export")

    def get_urls(self) -> list[Any]:
        """Add the pages of one reject."""
        pages = RejectPages(self)
        own = [
            path("<int:number>/change/", pages.detail, name="ingest_rejectedrecord_change"),
            path("<int:number>/repair/", pages.repair, name="ingest_rejectedrecord_repair"),
            path("<int:number>/replay/", pages.replay, name="ingest_rejectedrecord_replay"),
            path("<int:number>/dismiss/", pages.dismiss, name="ingest_rejectedrecord_dismiss"),
        ]
        return [*[self._guarded(page) for page in own], *super().get_urls()]

    def _guarded(self, page: Any) -> Any:
        page.callback = self.admin_site.admin_view(page.callback)
        return page

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[DeskList]:
        """Use the desk's list."""
        return DeskList

    def search_names(self) -> list[str]:
        """Name what a search compares."""
        return [
            "a value of the record",
            "its natural key",
            "the sender's name for it",
            "the number of a reject",
            "a batch",
        ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Take the desk's own filters only."""
        return lookup in PARAMETERS and REPLACEMENT not in str(value)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list; of POSTs it takes only what the user may do."""
        if request.method == "POST" and request.POST.get("action") not in self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    @admin.display(description="record")
    def record_key(self, reject: RejectedRecord) -> str:
        """Return the natural key, which may be as long as the record."""
        return legible(reject.natural_key, at_most=SHOWN_CHARACTERS) or f"no. {reject.pk}"

    @admin.display(description="reasons")
    def why(self, reject: RejectedRecord) -> str:
        """Return the first reasons as chips, with the first one's words."""
        return chips(reject.reasons)

    @admin.display(description="origin")
    def where(self, reject: RejectedRecord) -> str:
        """Say where it stood: in a file, or in a request."""
        return whereabouts(reject)

    @admin.display(description="status")
    def state(self, reject: RejectedRecord) -> str:
        """Show the status as a chip."""
        return status_chip(reject)

    @admin.display(description="age")
    def age(self, reject: RejectedRecord) -> str:
        """Say how long ago it was first seen."""
        return timesince(reject.first_seen_at, timezone.now(), depth=1)

    @admin.display(description="times seen")
    def seen(self, reject: RejectedRecord) -> str:
        """Say how often it came."""
        return f"{reject.times_seen:,}"
