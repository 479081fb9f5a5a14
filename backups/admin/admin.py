"""Backups in the admin: the catalogue, and what was restored."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince

from backups.admin.views import BackUpNow, RestorePage
from backups.catalogue.liveness import close_abandoned
from backups.catalogue.rights import BACK_UP, RESTORE, VERIFY, may, within_reach
from backups.catalogue.told import told, with_figures
from backups.console import moment, size
from backups.files.named_stores import store_of
from backups.models import Backup, Restore, Status
from backups.tasks import ask_for_check
from core.web.read_only_admin import ReadOnlyAdmin

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _BackupAdmin = admin.ModelAdmin[Backup]
    _RestoreAdmin = admin.ModelAdmin[Restore]
else:
    _BackupAdmin = _RestoreAdmin = admin.ModelAdmin

EMPTY = "-"


class CatalogueAdmin(ReadOnlyAdmin):
    """What became of backups and restores."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out what is for superusers only; what was abandoned is marked so first."""
        close_abandoned()
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # of the admin it is mixed into
        return within_reach(request.user, rows.select_related("user"))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Show of it what the user may be told."""
        row = super().get_object(request, object_id, from_field)
        return row and told(request.user, row)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Show of each what the user may be told."""
        page = super().get_changelist_instance(request)  # type: ignore[misc]
        page.result_list = [told(request.user, row) for row in page.result_list]
        return page

    @admin.display(description="file")
    def file(self, row: Backup | Restore) -> str:
        """Name the file, by its store and its name there."""
        store, name = store_of(row.path)
        if row.status in (Status.QUEUED, Status.RUNNING, Status.FAILED) and isinstance(row, Backup):
            return EMPTY  # what it has is the store's own place
        return f"{store}/{name}" if store else f"{name} (in no store of the settings)"

    @admin.display(description="error")
    def fault(self, row: Backup | Restore) -> str:
        """Return the error as the user may be told of it."""
        return row.error or EMPTY


@admin.register(Backup)
class BackupAdmin(CatalogueAdmin, _BackupAdmin):
    """The catalogue, the newest first."""

    list_display = (
        "table",
        "age",
        "verified",
        "drilled",
        "rows_held",
        "size",
        "status",
        "origin",
        "run_name",
    )
    list_filter = ("status", "origin", "table")
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-started_at", "id")
    search_fields = ("table", "=run")
    search_help_text = "Finds parts of a table's name, and the number of a run."
    actions = ("verify", "drill")
    change_list_template = "backups/catalogue.html"
    change_form_template = "backups/backup.html"
    fieldsets = (
        (None, {"fields": (("table", "status", "origin"), ("snapshot_at", "rows_held", "size"), "fault")}),
        ("Proof", {"fields": (("verified_at", "drilled_at"), "sha256", "fingerprint")}),
        ("Whence and where", {"fields": (("user", "schedule"), "started_at", "run", "file")}),
    )

    class Media:
        css: ClassVar = {"all": ("backups/admin.css",)}

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that back up and restore."""
        now, restore = BackUpNow(self), RestorePage(self)
        return [
            path("back-up-now/", self.admin_site.admin_view(now.show), name="backups_back_up_now"),
            path("<uuid:number>/restore/", self.admin_site.admin_view(restore.ask), name="backups_restore"),
            path(
                "<uuid:number>/restore/<uuid:dry_run>/",
                self.admin_site.admin_view(restore.confirm),
                name="backups_restore_confirm",
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show "Back up now" to those who may."""
        return super().changelist_view(request, {"may_back_up": may(request.user, BACK_UP), **(extra_context or {})})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show "Restore" to those who may."""
        shown = {"may_restore": may(request.user, RESTORE), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, shown)

    def has_verify_permission(self, request: HttpRequest) -> bool:
        """Say who may verify."""
        return may(request.user, VERIFY)

    @admin.action(description="Verify: read each file whole", permissions=["verify"])
    def verify(self, request: HttpRequest, chosen: QuerySet[Backup]) -> None:
        """Verify backups."""
        self._check(request, chosen, drill=False)

    @admin.action(description="Verify and drill: restore each into a scratch table", permissions=["verify"])
    def drill(self, request: HttpRequest, chosen: QuerySet[Backup]) -> None:
        """Verify backups, and let PostgreSQL restore them aside."""
        self._check(request, chosen, drill=True)

    def _check(self, request: HttpRequest, chosen: QuerySet[Backup], *, drill: bool) -> None:
        what = "verified and drilled" if drill else "verified"
        for row in chosen:
            if row.status != Status.DONE:
                messages.warning(request, f"{row} has no file to read: it is {row.get_status_display()}.")
                continue
            before = row.verified_at, row.drilled_at
            failure = ask_for_check(row, drill=drill, user=request.user)  # type: ignore[arg-type]  # signed in
            self.log_change(request, row, f"Asked to be {what}.")
            if failure is not None:
                messages.error(request, f"{row}: {failure.told(request.user, [row.table], row.path).text}")
            elif (row.verified_at, row.drilled_at) != before:
                messages.success(request, f"{row}: {what}.")
            else:
                messages.info(request, f"{row}: to be {what} when a worker comes to it.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Add the figures that the user may be told, by which the list is sorted."""
        return with_figures(request.user, super().get_queryset(request))

    @admin.display(description="rows", ordering="told_rows")
    def rows_held(self, row: Backup) -> str:
        """Return the number of rows."""
        return EMPTY if row.rows is None else f"{row.rows:,}"

    @admin.display(description="size", ordering="told_bytes")
    def size(self, row: Backup) -> str:
        """Return the size of the file."""
        return EMPTY if row.bytes is None else size(row.bytes)

    @admin.display(description="age", ordering="-snapshot_at")
    def age(self, row: Backup) -> str:
        """Say how old its snapshot is."""
        if row.snapshot_at is None:
            return EMPTY
        age = timesince(row.snapshot_at, timezone.now(), depth=1)
        return format_html('<span title="{}">{}</span>', moment(row.snapshot_at), age)

    @admin.display(boolean=True, ordering="verified_at")
    def verified(self, row: Backup) -> bool:
        """Mark those that were read back whole."""
        return row.verified_at is not None

    @admin.display(boolean=True, ordering="drilled_at")
    def drilled(self, row: Backup) -> bool | None:
        """Mark those that PostgreSQL restored aside; that the others were not is no fault."""
        return row.drilled_at is not None or None

    @admin.display(description="run")
    def run_name(self, row: Backup) -> str:
        """Link to all backups of the run."""
        return format_html('<a href="?run__exact={}">{}</a>', row.run, str(row.run)[:8])

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Take the run too."""
        return lookup == "run__exact" or super().lookup_allowed(lookup, value, request)


@admin.register(Restore)
class RestoreAdmin(CatalogueAdmin, _RestoreAdmin):
    """Restores and dry runs, the newest first."""

    list_display = ("table", "started_at", "dry_run", "status", "mode", "with_children", "outcome", "user")
    list_filter = ("status", "dry_run", "mode")
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-started_at", "id")
    search_fields = ("table",)
    fieldsets = (
        (None, {"fields": (("table", "status", "dry_run"), ("mode", "with_children"), "outcome", "fault")}),
        ("Whence and when", {"fields": ("backup", "safety", "file", "user", ("started_at", "finished_at"))}),
    )

    @admin.display(description="outcome")
    def outcome(self, row: Restore) -> str:
        """Say what came of each table."""
        lines = [_told(table, dry_run=row.dry_run) for table in (row.report or {}).get("tables", ())]
        return format_html_join("", "{}<br>", ((line,) for line in lines)) or self.fault(row)[:200]


def _told(table: dict[str, Any], *, dry_run: bool) -> str:
    verb = "would be restored" if dry_run else "restored"
    if table["rows"] is None:
        return f"{table['table']}: {verb}"
    if table["added"] is None:
        return f"{table['table']}: {table['rows']:,} rows {verb}"
    counts = f"{table['added']:,} added, {table['changed']:,} changed, {table['removed']:,} removed"
    return f"{table['table']}: {table['rows']:,} rows {verb} ({counts})"
