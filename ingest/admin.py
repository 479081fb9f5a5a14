"""What the pipeline did, in the admin: batches with their accounts, and the records that it refused. Read-only."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from ingest.admin_tables import BigTableAdmin, ReadOnly
from ingest.admin_values import EMPTY
from ingest.desk.admin import RejectedRecordAdmin
from ingest.models import OUTCOMES, Account, Batch, RejectedRecord

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


admin.site.register(RejectedRecord, RejectedRecordAdmin)
