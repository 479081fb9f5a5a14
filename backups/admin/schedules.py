"""Schedules in the admin: made, read back in words, and what came of their last run."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import Script
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from backups.admin.forms import ScheduleForm
from backups.catalogue.rights import out_of_reach
from backups.catalogue.told import told_fault
from backups.console import moment
from backups.files.named_stores import DEFAULT, without_addresses
from backups.models import NAME_LENGTH, UNDECIDED, BackupSchedule
from backups.schedule_rules import in_words, schedule_errors
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
    readonly_fields = ("reading", "last_result")
    fieldsets = (
        (None, {"fields": ("name", "enabled", ("cron", "time_zone"), "reading", "last_result")}),
        ("What, and where to", {"classes": ("backups-tables",), "fields": ("tables", "store")}),
        (
            "How many to keep",
            {"description": _KEEP, "fields": (("keep_last", "keep_daily", "keep_weekly", "keep_monthly"),)},
        ),
    )

    class Media:
        css: ClassVar = {"all": ("backups/admin.css",)}
        js: ClassVar = (Script("backups/schedule.js", defer=True),)

    def get_urls(self) -> list[URLPattern]:
        """Add what reads an expression back while it is typed."""
        read = self.admin_site.admin_view(self.read)
        return [path("read/", read, name="backups_backupschedule_read"), *super().get_urls()]

    def read(self, request: HttpRequest) -> HttpResponse:
        """Answer ``?cron=&time_zone=`` in lines to be shown: in words and with its next times, or what is wrong."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        return JsonResponse({"lines": read_back(request.GET.get("cron", ""), request.GET.get("time_zone", ""))})

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
        runs = schedule.enabled and not schedule.errors_by_field()
        return next(iter(_next(schedule, count=1)), EMPTY) if runs else EMPTY

    @admin.display(description="in words")
    def reading(self, schedule: BackupSchedule) -> str:
        """Read the expression back, with its next moments in the schedule's time zone; the page keeps it up to date."""
        if not schedule.cron:
            lines = ["Shown while you type, or once it is saved."]
        else:
            lines = read_back(schedule.cron, schedule.time_zone)
            lines += [] if schedule.enabled else ["It is off: it does not run."]
        shown = format_html_join("", "<div>{}</div>", ((line,) for line in lines))
        return format_html(
            '<div id="schedule-reading" role="status" data-address="{}">{}</div>',
            reverse("admin:backups_backupschedule_read"),
            shown,
        )

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


def read_back(cron: str, time_zone: str) -> list[str]:
    """Read an expression back: in words and when it is next, three times; or say what about it is wrong."""
    if len(cron) > NAME_LENGTH:
        return [f"At most {NAME_LENGTH} characters."]
    errors = schedule_errors(cron=cron, time_zone=time_zone, tables=(), store=DEFAULT, keeps=(1,))
    if wrong := [errors[name] for name in ("cron", "time_zone") if name in errors]:
        return wrong
    schedule = BackupSchedule(cron=cron, time_zone=time_zone)
    return [f"{in_words(cron)}. Next:", *_next(schedule, count=3)]


def _next(schedule: BackupSchedule, *, count: int) -> list[str]:
    return [f"{at:%a %Y-%m-%d %H:%M %Z}" for at in next_times(schedule, after=timezone.now(), count=count)]
