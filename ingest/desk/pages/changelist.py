"""The admin's list of rejects: Django's page, filled from ``ingest.desk.search.listing``."""

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import connection, models
from django.http import HttpRequest
from django.utils import formats

from ingest.desk.bulk.jobs import SMALL_RECORDS
from ingest.desk.search.batches import with_rejects
from ingest.desk.search.counts import Count
from ingest.desk.search.find import REACH_ROWS
from ingest.desk.search.likenesses import Likeness, find_likenesses
from ingest.desk.search.listing import RejectFilter, RejectList, look_up
from ingest.models import RejectedRecord
from ingest.table_admin.big_tables import ROWS_PER_PAGE
from ingest.table_admin.values import legible

SHOWN_VALUES = 12  # of one filter, the most frequent
BY_LIKENESS = "by"  # ?by=group
NAMES = {"load": "a file", "api": "a request"}

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _QuerySet = models.QuerySet[Any]
else:
    _QuerySet = models.QuerySet


class DeskFilter(admin.SimpleListFilter):
    """One filter; its choices have counts, all other filters applied."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Have none of Django's: ``choices`` knows better."""
        return []

    def has_output(self) -> bool:
        """Show it."""
        return True

    def queryset(self, request: HttpRequest, queryset: _QuerySet) -> _QuerySet:
        """Leave the narrowing to the list."""
        return queryset

    def counts(self, listing: RejectList, tables: list[str]) -> dict[str, tuple[str, Count]]:
        """Return label and count by value."""
        counts = listing.facet(str(self.parameter_name))
        return {value: (NAMES.get(value, legible(value, at_most=60)), count) for value, count in counts.items()}

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield ``All``, then the values."""
        name, chosen = str(self.parameter_name), self.value()
        yield {
            "selected": not chosen,
            "query_string": changelist.get_query_string(remove=[name]),
            "display": "All",
        }
        counts = self.counts(changelist.listing, changelist.tables)
        shown = list(counts)[:SHOWN_VALUES]
        if chosen and chosen not in shown:
            counts.setdefault(chosen, (legible(chosen, at_most=60), Count()))
            shown.append(chosen)
        for value in shown:
            label, count = counts[value]
            yield {
                "selected": value == chosen,
                "query_string": changelist.get_query_string({name: value}),
                "display": f"{label} ({count})",
            }


def _filter(name: str, title: str, base: type[DeskFilter] = DeskFilter) -> type[DeskFilter]:
    return type(f"{name.title()}Filter", (base,), {"parameter_name": name, "title": title})


class RejectDayFilter(DeskFilter):
    """The latest days on which there were any."""

    def counts(self, listing: RejectList, tables: list[str]) -> dict[str, tuple[str, Count]]:
        """Return each day with the rejects last seen then."""
        return {day.isoformat(): (_day_name(day), count) for day, count in listing.days.items()}


class BatchFilter(DeskFilter):
    """The latest batches that refused something which the list shows."""

    def counts(self, listing: RejectList, tables: list[str]) -> dict[str, tuple[str, Count]]:
        """Return each batch with its records in the list."""
        with connection.cursor() as cursor:
            batches = with_rejects(cursor, listing, tables)
        return {str(batch.pk): (batch.name, count) for batch, count in batches}


def _day_name(day: date) -> str:
    return formats.date_format(day, "D, j M")


class HiddenFilter(DeskFilter):
    """Takes its parameter, and shows nothing: the page's head says what it is."""

    def has_output(self) -> bool:
        """Stay out of the sidebar."""
        return False


class LikenessFilter(HiddenFilter):
    """Records that are alike."""

    title = "group"
    parameter_name = "group"


class AgeFilter(HiddenFilter):
    """Open records by when they were first seen; the front page leads here."""

    title = "first seen"
    parameter_name = "first"


class ViewFilter(HiddenFilter):
    """Records one by one, or by likeness."""

    title = "group"
    parameter_name = BY_LIKENESS


FILTERS = (
    _filter("status", "status"),
    _filter("table", "table"),
    _filter("code", "code"),
    _filter("field", "field"),
    _filter("origin", "origin"),
    _filter("day", "day last seen", RejectDayFilter),
    _filter("batch", "batch", BatchFilter),
    LikenessFilter,
    AgeFilter,
    ViewFilter,
)
PARAMETERS = frozenset(str(filter_class.parameter_name) for filter_class in FILTERS)


class DeskList(ChangeList):
    """One page of rejects or of likenesses, with the counts of all filters."""

    listing: RejectList
    tables: list[str]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> _QuerySet:
        """Return the page's rejects; for an action on all that were found, the first ``SMALL_RECORDS`` and one more."""
        filters = self.get_filters(request)
        self.filter_specs, self.has_filters, _, _, self.has_active_filters = filters
        self.has_filters = True
        self.clear_all_filters_qs = self.get_query_string(remove=[*PARAMETERS])
        self.tables = self.model_admin.tables(request)  # type: ignore[attr-defined]  # ours
        page = min(max(self.page_num, 1), REACH_ROWS // ROWS_PER_PAGE)
        first, rows = (page - 1) * ROWS_PER_PAGE, ROWS_PER_PAGE
        if request.POST.get("select_across") == "1":
            first, rows = 0, SMALL_RECORDS + 1
        with connection.cursor() as cursor:
            self.listing, numbers = look_up(cursor, self._asked(), self.tables, first=first, rows=rows)
        shown = self.root_queryset.filter(pk__in=numbers).defer(*self.model_admin.left_out_of_list)  # type: ignore[attr-defined]
        return shown.order_by("-last_seen_at", "-pk")

    def _asked(self) -> RejectFilter:
        filters = {name: value for name, value in self.params.items() if name in PARAMETERS - {BY_LIKENESS}}
        return RejectFilter(term=self.query, **filters)

    def get_results(self, request: HttpRequest) -> None:
        """Take the page that ``get_queryset`` found."""
        count = self.listing.count
        self.result_count = min(count.rows, REACH_ROWS)
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = not self.by_likeness
        self.result_list = self.queryset
        self.can_show_all = False
        self.multi_page = self.result_count > ROWS_PER_PAGE
        self.paginator = Paginator(range(self.result_count), ROWS_PER_PAGE)

    def first_seen(self) -> str:
        """Say when the records were first seen, where the list is narrowed to that."""
        first, dots, last = str(self.params.get("first", "")).partition("..")
        return legible(f"{first or '…'} to {last or '…'}" if dots else first, at_most=40)

    def without_age(self) -> str:
        """Return the address of the list with records of any age."""
        return self.get_query_string(remove=["first"])

    @property
    def by_likeness(self) -> bool:
        """Whether likenesses are shown in place of records."""
        return self.params.get(BY_LIKENESS) == "group"

    @cached_property
    def likenesses(self) -> list[Likeness]:
        """Those of all that the list shows."""
        with connection.cursor() as cursor:
            return find_likenesses(cursor, self.listing.chosen)

    @property
    def likeness(self) -> Likeness | None:
        """The one that the list is narrowed to."""
        return next(iter(self.likenesses), None) if self.params.get("group") else None

    def views(self) -> list[dict[str, Any]]:
        """The two ways of looking, as links."""
        return [
            {"name": "Records", "link": self.get_query_string(remove=[BY_LIKENESS]), "chosen": not self.by_likeness},
            {
                "name": "Groups",
                "link": self.get_query_string({BY_LIKENESS: "group"}, remove=["group"]),
                "chosen": self.by_likeness,
            },
        ]

    def page_numbers(self) -> Iterator[int | str]:
        """The pages to link to."""
        return self.paginator.get_elided_page_range(min(max(self.page_num, 1), self.paginator.num_pages))

    def how_many(self) -> str:
        """Say how many rejects there are."""
        count, opts = self.listing.count, RejectedRecord._meta
        name = opts.verbose_name if str(count) == "1" else opts.verbose_name_plural
        beyond = f"; these pages reach the first {REACH_ROWS:,}" if count.rows > REACH_ROWS else ""
        return f"{count} {name}{beyond}"
