"""Schedules in the admin: made, read back in words, and what came of their last run."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join

from backups.admin.forms import ScheduleForm
from backups.catalogue.rights import out_of_reach
from backups.catalogue.told import told_fault
from backups.console import moment
from backups.files.named_stores import without_addresses
from backups.models import UNDECIDED, BackupSchedule
from backups.schedules.run_due import next_times
from backups.tables import all_tables
from core.web.read_only_admin import DeclaredFilters, ViewableObjects

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _ScheduleAdmin = admin.ModelAdmin[BackupSchedule]
else:
    _ScheduleAdmin = admin.ModelAdmin

EMPTY = "-"
_KEEP = (
    "After each run, those of this schedule's backups that none of these keeps are removed: the last ones (all of"
    " today count as one where the last good one of an earlier day would go), and the newest one of so many days, weeks"
    " and months. The newest verified backup of a table always stays."
)


@admin.register(BackupSchedule)
class BackupScheduleAdmin(DeclaredFilters, ViewableObjects, _ScheduleAdmin):
    """Schedules, with when they run next and what came of the last run."""

    form = ScheduleForm
    list_display = ("name", "enabled", "cron", "time_zone", "store", "next_run", "last_result")
    list_filter = ("enabled", "store")
    show_facets = admin.ShowFacets.NEVER
    readonly_fields = ("next_three", "last_result")
    fieldsets = (
        (None, {"fields": ("name", "enabled", ("cron", "time_zone"), "next_three", "last_result")}),
        ("What, and where to", {"classes": ("backups-tables",), "fields": ("tables", "store")}),
        (
            "How many to keep",
            {"description": _KEEP, "fields": (("keep_last", "keep_daily", "keep_weekly", "keep_monthly"),)},
        ),
    )

    class Media:
        css: ClassVar = {"all": ("backups/admin.css",)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002 - Django's
        """Offer the tables that the user may back up."""
        return type("Form", (super().get_form(request, obj, change, **options),), {"user": request.user})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Remember who looks at it."""
        return _read_by(request.user, super().get_object(request, object_id, from_field))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Remember who looks at them."""
        page = super().get_changelist_instance(request)
        page.result_list = [_read_by(request.user, schedule) for schedule in page.result_list]
        return page

    def save_model(self, request: HttpRequest, obj: BackupSchedule, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Forget what was wrong with another store."""
        if "store" in form.changed_data:
            obj.last_error = ""
        super().save_model(request, obj, form, change)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let only superusers change what backs up tables that are theirs alone."""
        beyond = obj is not None and bool(out_of_reach(request.user, obj.tables))
        return not beyond and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let only superusers delete it, likewise."""
        beyond = obj is not None and bool(out_of_reach(request.user, obj.tables))
        return not beyond and super().has_delete_permission(request, obj)

    @admin.display(description="next run")
    def next_run(self, schedule: BackupSchedule) -> str:
        """Return the next moment."""
        return next(iter(_next(schedule, count=1)), EMPTY)

    @admin.display(description="next three times")
    def next_three(self, schedule: BackupSchedule) -> str:
        """Return the next moments, in the schedule's time zone."""
        if not schedule.cron:
            return "Shown once it is saved."
        return format_html_join("", "{}<br>", ((line,) for line in _next(schedule, count=3))) or EMPTY

    @admin.display(description="last result")
    def last_result(self, schedule: Any) -> str:
        """Say what came of the last run, and what is in the way of the next."""
        if schedule.store == UNDECIDED:
            return schedule.last_error
        wrong = " ".join(schedule.errors_by_field().values()) if schedule.pk and schedule.enabled else ""
        hindrance = f" It cannot run: {wrong}" if wrong not in schedule.last_error else ""
        return without_addresses(f"{self._ending(schedule)}{hindrance}")

    def _ending(self, schedule: Any) -> str:
        if schedule.last_started_at is None:
            return "It has not run yet."
        if schedule.last_finished_at is None:
            return f"Started at {moment(schedule.last_started_at)}."
        ended = "Failed" if schedule.last_error else "Done"
        why = told_fault(schedule.reader, schedule.last_error, schedule.tables or all_tables())
        return f"{ended} at {moment(schedule.last_finished_at)}. {why}"


def _read_by(user: Any, schedule: Any) -> Any:
    """Put on a schedule, if there is one, who reads it: what stands on it is told by their rights."""
    if schedule is not None:
        schedule.reader = user
    return schedule


def _next(schedule: BackupSchedule, *, count: int) -> list[str]:
    if not schedule.enabled or schedule.errors_by_field():
        return []
    return [f"{at:%a %Y-%m-%d %H:%M %Z}" for at in next_times(schedule, after=timezone.now(), count=count)]
