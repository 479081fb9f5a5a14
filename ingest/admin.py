"""What the pipeline did, in the admin: batches with their accounts, and the records that it refused. Read-only."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.timesince import timesince

from ingest.admin_tables import BigTableAdmin, ReadOnly
from ingest.admin_values import EMPTY, block, visible
from ingest.models import OUTCOMES, Account, Batch, RejectedRecord
from ingest.sources import sources

SHOWN_REASONS = 3
SHOWN_CHARACTERS = 80

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _TabularInline = admin.TabularInline[Account, Batch]
    _QuerySet = models.QuerySet[Any]
else:
    _TabularInline, _QuerySet = admin.TabularInline, models.QuerySet


def _count(name: str) -> Any:
    @admin.display(description=name.replace("_", " "))
    def cell(account: Account) -> str:
        return f"{getattr(account, name):,}"

    cell.__name__ = name
    return cell


def _total(name: str) -> Any:
    @admin.display(description=name.replace("_", " "))
    def cell(batch: Batch) -> str:
        return f"{sum(getattr(account, name) for account in batch.accounts.all()):,}"

    cell.__name__ = name
    return cell


@admin.display(description="repaired")
def _repaired(account: Account) -> str:
    return ", ".join(f"{rule} {count:,}" for rule, count in sorted(account.repaired.items())) or EMPTY


@admin.display(description="seconds")
def _seconds(account: Account) -> str:
    return f"{account.seconds:,.2f}"


class AccountInline(ReadOnly, _TabularInline):
    """The account, one row a table; whoever may see the batch may see it."""

    model = Account
    fields: ClassVar[Any] = (
        "table",
        "status",
        *map(_count, ("read", *OUTCOMES)),
        _repaired,
        _seconds,
        "file_name",
    )
    readonly_fields = fields
    ordering = ("id",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask nothing more than the batch's own page did."""
        return True


@admin.register(Batch)
class BatchAdmin(BigTableAdmin):
    """Batches, the newest first."""

    list_display = (
        "started_at",
        "origin",
        "status",
        "source",
        "by",
        "seconds",
        *map(_total, ("read", "inserted", "updated", "rejected")),
    )
    left_out_of_list: ClassVar = ("options", "error")
    ordering = ("-started_at",)
    search_fields = ("id", "caused_by")
    inlines = (AccountInline,)
    fieldsets = (
        (None, {"fields": ("id", ("origin", "status", "user"), "source", ("started_at", "finished_at"), "error")}),
        ("Options", {"classes": ("collapse",), "fields": ("options", "app_version", "caused_by")}),
    )

    def get_queryset(self, request: HttpRequest) -> _QuerySet:
        """Fetch a page's users and accounts with one query each."""
        return super().get_queryset(request).select_related("user").prefetch_related("accounts")

    @admin.display(description="by")
    def by(self, batch: Batch) -> str:
        """Name who sent or started it."""
        return str(batch.user or EMPTY)

    @admin.display(description="seconds")
    def seconds(self, batch: Batch) -> str:
        """Say how long it took."""
        return f"{(batch.finished_at - batch.started_at).total_seconds():,.1f}" if batch.finished_at else EMPTY


class TableFilter(admin.SimpleListFilter):
    """Rejects of one table; asks the Sources, since the rejects' own distinct values would cost a scan."""

    title = "table"
    parameter_name = "table"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the tables."""
        return [(source.table, source.table) for source in sources()]

    def queryset(self, request: HttpRequest, queryset: _QuerySet) -> _QuerySet:
        """Keep those of the table that was picked."""
        return queryset.filter(table=self.value()) if self.value() else queryset


@admin.register(RejectedRecord)
class RejectedRecordAdmin(BigTableAdmin):
    """Refused records, the newest first."""

    list_display = ("record_key", "table", "why", "where", "status", "times_seen", "age")
    left_out_of_list: ClassVar = ("raw", "record", "correction", "raw_sha256", "waits_for")
    list_filter = ("status", TableFilter)
    ordering = ("-pk",)
    fieldsets = (
        (
            None,
            {"fields": (("table", "natural_key"), "all_reasons", "raw", "record", ("file_name", "position", "line"))},
        ),
        ("What became of it", {"fields": (("status", "times_seen", "attempts"), ("first_seen_at", "last_seen_at"))}),
        ("Waiting", {"fields": ("waits_for", "parent")}),
        ("Closed", {"fields": (("closed_at", "closed_by"), "closed_why", "correction")}),
        ("Batches", {"fields": (("batch", "last_batch"), ("stage", "contract_version", "app_version"), "raw_sha256")}),
    )
    search_fields = ("id", "batch", "last_batch", "parent")

    def search(self, term: str) -> models.Q:
        """Find by natural key too; its index begins with the table, so all tables are named."""
        tables = [source.table for source in sources()]
        return super().search(term) | models.Q(table__in=tables, natural_key=term)

    def search_names(self) -> list[str]:
        """Name the natural key too."""
        return ["natural key (as shown)", *super().search_names()]

    @admin.display(description="natural key")
    def record_key(self, reject: RejectedRecord) -> str:
        """Give the natural key, which may be as long as the record."""
        return visible(reject.natural_key, at_most=SHOWN_CHARACTERS)

    @admin.display(description="reasons")
    def why(self, reject: RejectedRecord) -> str:
        """Give the first reasons."""
        lines = list(_reasons(reject.reasons[:SHOWN_REASONS], value_characters=SHOWN_CHARACTERS // 2))
        rest = len(reject.reasons) - SHOWN_REASONS
        return format_html_join("", "{}<br>", [(line,) for line in [*lines, *([f"and {rest} more"] * (rest > 0))]])

    @admin.display(description="reasons")
    def all_reasons(self, reject: RejectedRecord) -> str:
        """Give every reason."""
        return block("\n".join(_reasons(reject.reasons)))

    @admin.display(description="file and line")
    def where(self, reject: RejectedRecord) -> str:
        """Say where it stood: in a file, or in a request."""
        line = f"line {reject.line}" if reject.line is not None else f"record {reject.position}"
        return f"{reject.file_name}, {line}" if reject.file_name else line

    @admin.display(description="age")
    def age(self, reject: RejectedRecord) -> str:
        """Say how long ago it was first seen."""
        return timesince(reject.first_seen_at, timezone.now(), depth=1)


def _reasons(reasons: Iterable[dict[str, Any]], *, value_characters: int | None = None) -> Iterator[str]:
    for reason in reasons:
        code = " ".join(filter(None, (reason["code"], reason.get("constraint"))))
        value = reason["value"]
        came = "" if value is None else f" Got: {visible(value, at_most=value_characters)!r}"
        yield f"{reason['field'] or 'record'}: {reason['message']} [{code}]{came}"
