"""Batches in the admin: what each did with every record it read, and what came of it. Read-only."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join

from ingest.accounts.load_batches import close_dead_loads
from ingest.desk.actions import rights
from ingest.desk.pages.html import chip, status_chip
from ingest.desk.search.batches import rejects_by_reason
from ingest.desk.search.spans import span_of
from ingest.models import OUTCOMES, Batch
from ingest.readers.csv.signs import told
from ingest.rights import viewable_batches, viewable_tables
from ingest.table_admin.big_tables import BigTableAdmin
from ingest.table_admin.values import EMPTY, moment

SHOWN_CAUSED = 20
SHOWN_DAYS = 7
COUNTS = ("read", *OUTCOMES)

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _QuerySet = models.QuerySet[Any]
else:
    _QuerySet = models.QuerySet


def _total(name: str) -> Any:
    @admin.display(description=name.replace("_", " "))
    def cell(batch: Batch) -> str:
        return f"{sum(getattr(account, name) for account in batch.accounts.all()):,}"

    cell.__name__ = name
    return cell


@admin.display(description="status")
def _status(batch: Any) -> str:
    return status_chip(batch)


class BatchDayFilter(admin.SimpleListFilter):
    """Batches that began on one day."""

    title = "day"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the last days, and the one that was asked for."""
        days = [timezone.localdate() - timedelta(days=back) for back in range(SHOWN_DAYS)]
        asked = _as_date(request.GET.get("day", ""))
        shown = days if asked is None or asked in days else [*days, asked]
        return [(day.isoformat(), formats.date_format(day, "D, j M")) for day in shown]

    def queryset(self, request: HttpRequest, queryset: _QuerySet) -> _QuerySet:
        """Keep that day's."""
        if self.value() is None:
            return queryset
        begin, end = span_of(str(self.value()))
        return queryset.filter(started_at__gte=begin, started_at__lt=end)


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


class BatchAdmin(BigTableAdmin):
    """Batches, the newest first."""

    list_display = (
        "started_at",
        "origin",
        _status,
        "source",
        "by",
        *map(_total, ("read", "inserted", "updated", "unchanged", "rejected")),
        "seconds",
    )
    list_filter = ("status", "origin", BatchDayFilter)
    left_out_of_list: ClassVar = ("options", "error")
    ordering = ("-started_at",)
    search_fields = ("id", "caused_by")
    readonly_fields = ("account", "state", "files", "signs", "refused", "cause", "effects")
    fieldsets = (
        (None, {"fields": ("id", ("origin", "state", "by"), "source", ("started_at", "finished_at"), "error")}),
        ("What came of it", {"fields": ("account", "refused", "files", "signs", "cause", "effects")}),
        ("Options", {"classes": ("collapse",), "fields": ("options", "app_version")}),
    )

    class Media:
        css: ClassVar = {"all": ("ingest/desk.css",)}

    def get_queryset(self, request: HttpRequest) -> _QuerySet:
        """Show batches that the user may view; fetch a page's users and accounts with one query each."""
        rows = viewable_batches(request.user).order_by(*self.ordering)
        return rows.select_related("user").prefetch_related("accounts")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """List them; a load whose process was killed is marked so first."""
        close_dead_loads()
        return super().changelist_view(request, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Remember which rejects and other batches may be shown; a load whose process was killed is marked first."""
        close_dead_loads()
        batch = super().get_object(request, object_id, from_field)
        if batch is not None:
            batch.others = viewable_batches(request.user)
            batch.seen_tables = viewable_tables(request.user) if rights.may(request.user, "view") else []
        return batch

    @admin.display(description="by")
    def by(self, batch: Batch) -> str:
        """Name who sent or started it."""
        return str(batch.user or EMPTY)

    @admin.display(description="status")
    def state(self, batch: Batch) -> str:
        """Show the status."""
        return status_chip(batch)

    @admin.display(description="seconds")
    def seconds(self, batch: Batch) -> str:
        """Say how long it took."""
        return f"{(batch.finished_at - batch.started_at).total_seconds():,.1f}" if batch.finished_at else EMPTY

    @admin.display(description="the account")
    def account(self, batch: Batch) -> str:
        """Return what became of the records, a line for each table."""
        return render_to_string(
            "ingest/desk/account.html", {"accounts": batch.accounts.order_by("id"), "names": COUNTS}
        )

    @admin.display(description="files")
    def files(self, batch: Batch) -> str:
        """Name each file with its size and SHA-256."""
        accounts = [account for account in batch.accounts.all() if account.file_name]
        rows = ((a.file_name, f"{a.file_bytes or 0:,}", a.file_sha256 or EMPTY) for a in accounts)
        return _lines("{}, {} bytes, SHA-256 <code>{}</code>", rows)

    @admin.display(description="signs")
    def signs(self, batch: Batch) -> str:
        """Say what each file as a whole showed, or what options said of it, and which lines were skipped."""
        accounts = list(batch.accounts.order_by("id"))
        rows = told({account.table: account.signs for account in accounts})
        for account in accounts:
            rows += [(account.table, f"{lines:,} lines skipped ({kind})") for kind, lines in account.skipped.items()]
        return _lines("{}: {}", rows)

    @admin.display(description="refused")
    def refused(self, batch: Any) -> str:
        """Count its rejects by table and reasons, with a way to them."""
        link = f"{reverse('admin:ingest_rejectedrecord_changelist')}?batch={batch.pk}"
        with connection.cursor() as cursor:
            reasons = rejects_by_reason(cursor, batch, batch.seen_tables)
        rows = [
            (f"{link}&table={kind.table}", f"{kind.rows:,} of {kind.table}", _chips(kind.codes, kind.fields))
            for kind in reasons
        ]
        whole = [(f"{link}&by=group", "all, by group", "")] if rows else []
        return _lines('<a href="{}">{}</a> {}', [*rows, *whole])

    @admin.display(description="caused by")
    def cause(self, batch: Any) -> str:
        """Link to the batch that brought it about."""
        return _links(batch.others.filter(pk=batch.caused_by_id))

    @admin.display(description="caused")
    def effects(self, batch: Any) -> str:
        """Link to the batches that it brought about."""
        return _links(batch.others.filter(caused_by=batch.pk).order_by("started_at")[:SHOWN_CAUSED])


def _links(batches: Iterable[Any]) -> str:
    rows = (
        (reverse("admin:ingest_batch_change", args=[batch.pk]), batch.get_origin_display(), moment(batch.started_at))
        for batch in batches
    )
    return _lines('<a href="{}">{} of {}</a>', rows)


def _chips(codes: tuple[str, ...], fields: tuple[str, ...]) -> str:
    names = fields if len(fields) == len(codes) else [""] * len(codes)
    return format_html_join(" ", "{}", ((chip(field, code),) for field, code in zip(names, codes, strict=True)))


def _lines(line: str, rows: Iterable[tuple[Any, ...]]) -> str:
    items = format_html_join("", f"<li>{line}</li>", rows)
    return format_html('<ul class="forge-plain">{}</ul>', items) if items else EMPTY
