"""A read-only admin for tables of any size: no page of it costs more than some thousand rows.

Lists are ordered by the key, found by whole values of indexed columns, counted only up to ``REACH_ROWS`` and paged no
deeper; beyond that, the number shown is the planner's estimate.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

import pyarrow as pa
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.text import capfirst

from core.arrow import Text
from core.postgres.planner import planned_rows
from core.web.read_only_admin import ReadOnlyAdmin
from ingest.rules.fields import RuleField
from ingest.table_admin.values import Field, ForeignKey, parent_cell, value_cell

ROWS_PER_PAGE = 100
REACH_ROWS = 10_000

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
    _QuerySet = models.QuerySet[Any]
else:
    _ModelAdmin, _Paginator, _QuerySet = admin.ModelAdmin, Paginator, models.QuerySet


class ReachPaginator(_Paginator):
    """Pages over the first ``REACH_ROWS`` rows; ``count`` is exact up to there and stops there."""

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: REACH_ROWS + 1].count())

    @cached_property
    def count(self) -> int:
        """The rows that can be paged through."""
        return min(self._counted, REACH_ROWS)

    @cached_property
    def estimate(self) -> int | None:
        """The planner's guess at all rows, where they are more than can be paged through."""
        if self._counted <= REACH_ROWS:
            return None
        rows: Any = self.object_list
        return max(planned_rows(rows), self._counted)


class KeyOrderedList(ChangeList):
    """A list in the order of its admin, whatever the address asks for."""

    def get_ordering(self, request: HttpRequest, queryset: _QuerySet) -> Any:
        """Pass over ``?o=``: Django sorts by any column that it names, also where nothing offers it."""
        self.params.pop(ORDER_VAR, None)
        return super().get_ordering(request, queryset)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> _QuerySet:
        """Leave out the wide columns that the list does not show."""
        return super().get_queryset(request, exclude_parameters).defer(*self.model_admin.left_out_of_list)  # type: ignore[attr-defined]  # ours

    def get_results(self, request: HttpRequest) -> None:
        """Read a page, and keep Django from showing a count that is none beside the search."""
        super().get_results(request)
        if self.paginator.estimate is not None or not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count

    def page_numbers(self) -> Iterator[int | str]:
        """The pages to link to."""
        return self.paginator.get_elided_page_range(min(max(self.page_num, 1), self.paginator.num_pages))

    def how_many(self) -> str:
        """Say how many rows there are."""
        count, name = self.paginator.estimate or self.result_count, self.opts.verbose_name_plural
        if self.paginator.estimate is None:
            return f"{count:,} {self.opts.verbose_name if count == 1 else name}"
        return f"about {count:,} {name}; these pages reach the first {REACH_ROWS:,}, a search reaches all"


def key_fields(model: type[models.Model]) -> list[str]:
    """Name the fields by which an index finds rows: those that lead a key or an index, but for surrogate keys."""
    meta = model._meta
    leading = {field.name for field in meta.fields if field.unique or field.db_index}  # type: ignore[attr-defined]  # the stubs lack db_index
    leading |= {
        index.fields_orders[0][0]
        for index in meta.indexes
        if type(index) is models.Index and index.fields_orders and index.condition is None
    }
    leading |= {
        rule.fields[0]
        for rule in meta.constraints
        if isinstance(rule, models.UniqueConstraint) and rule.fields and rule.condition is None
    }
    return [field.name for field in _own_fields(model) if field.name in leading]


def as_key(field: Field, term: str) -> Any:
    """Return what ``term`` means as a value of ``field`` (normalised as a record's would be), or None."""
    if isinstance(field, models.ForeignKey):
        field = field.target_field
    if isinstance(field, RuleField):
        text: Text = pa.array([term])
        for step in field.normalise:
            text = step.apply(text)
        term = text[0].as_py()
    try:
        return field.clean(term, None)
    except ValidationError:
        return None


class BigTableAdmin(ReadOnlyAdmin, _ModelAdmin):
    """Any model, all columns, read-only. A subclass may set ``list_display``, ``search_fields`` and ``ordering``.

    ``search_fields`` are names of indexed fields (by default ``key_fields``), compared exactly and as a whole.
    """

    left_out_of_list: ClassVar[tuple[str, ...]] = ()
    actions: Any = None
    ordering = ("pk",)
    sortable_by = ()
    paginator = ReachPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = ROWS_PER_PAGE
    list_max_show_all = ROWS_PER_PAGE
    change_list_template = "ingest/big_table_list.html"

    class Media:
        css: ClassVar = {"all": ("ingest/admin.css",)}

    @cached_property
    def searched(self) -> list[str]:
        """The fields that a search compares."""
        return list(self.search_fields) or key_fields(self.model)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Show the search."""
        return self.searched

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Head the list by its name, and say below the search what it finds."""
        page = super().get_changelist_instance(request)
        page.title = str(capfirst(self.opts.verbose_name_plural))
        page.search_help_text = f"Finds whole values only: {', '.join(self.search_names())}."
        return page

    def search_names(self) -> list[str]:
        """Name for people what a search compares."""
        return [str(self._fields[name].verbose_name) for name in self.searched]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Show all columns, or those of ``list_display``; a parent, for who may view it, as a link without a query."""
        names = list(self.list_display)
        if names == ["__str__"]:
            names = [field.name for field in _own_fields(self.model) if field.name not in self.left_out_of_list]
        return [self._list_cell(request, name, first=not place) for place, name in enumerate(names)]

    def _list_cell(self, request: HttpRequest, name: Any, *, first: bool) -> Any:
        field = self._fields.get(name)
        if isinstance(field, models.ForeignKey):
            # The first column links to the row itself.
            return field.attname if first else self._parent_cell(request, field)
        return self._cell(request, name) if isinstance(name, str) else name

    @cached_property
    def _fields(self) -> dict[Any, Field]:
        return {field.name: field for field in self.model._meta.concrete_fields}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show every column or those of ``fieldsets``, and links to the rows that refer to this one and may be seen."""
        everything = ((None, {"fields": [field.name for field in _own_fields(self.model)]}),)
        shown = [
            (title, {**sets, "fields": self._cells(request, sets["fields"])})
            for title, sets in self.fieldsets or everything
        ]
        keys = [key for key in self._referring() if self._may_view(request, key.model)]
        return [*shown, (None, {"fields": [_referring_cell(keys)]})] if keys else shown

    def _cells(self, request: HttpRequest, names: Any) -> list[Any]:
        return [self._cells(request, name) if isinstance(name, tuple) else self._cell(request, name) for name in names]

    def _cell(self, request: HttpRequest, name: str) -> Any:
        field = self._fields.get(name)
        if isinstance(field, models.ForeignKey):
            return self._parent_cell(
                request, field
            )  # Django would show the parent itself, also to who may not view its table
        return (field and value_cell(field)) or name

    def _parent_cell(self, request: HttpRequest, field: ForeignKey) -> Any:
        return parent_cell(field, linked=self._may_view(request, field.related_model))

    def _may_view(self, request: HttpRequest, model: Any) -> bool:
        site = self.admin_site
        return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)

    def _referring(self) -> list[ForeignKey]:
        keys = [
            relation.field
            for relation in self.model._meta.get_fields(include_hidden=True)
            if isinstance(relation, models.ManyToOneRel) and self.admin_site.is_registered(relation.related_model)
        ]
        return [key for key in keys if key.name in self._searched_by(key.model)]

    def _searched_by(self, model: type[models.Model]) -> list[str]:
        other = self.admin_site.get_model_admin(model)
        return other.searched if isinstance(other, BigTableAdmin) else []

    def get_search_results(self, request: HttpRequest, queryset: _QuerySet, search_term: str) -> tuple[_QuerySet, bool]:
        """Find rows by whole values of indexed columns; Django's ``=name`` compares upper case, without an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        condition = self.search(term)
        return (queryset.filter(condition) if condition else queryset.none()), False

    def search(self, term: str) -> models.Q:
        """Say which rows ``term`` finds; an empty condition finds none."""
        keys = {name: as_key(self._fields[name], term) for name in self.searched}
        parts = [models.Q(**{name: key}) for name, key in keys.items() if key is not None]
        return models.Q(*parts, _connector=models.Q.OR)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Use the list that keeps to its order."""
        return KeyOrderedList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list; it takes no POST unless there are actions."""
        if request.method == "POST" and self.actions is None:
            raise PermissionDenied
        return super().changelist_view(request, extra_context)


def _own_fields(model: type[models.Model]) -> list[Field]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]


def _referring_cell(keys: list[ForeignKey]) -> Any:
    """Return what links to the lists of rows that refer to a row by ``keys``."""

    @admin.display(description="referred to by")
    def referring(row: models.Model) -> str:
        terms = {key.model._meta: urlencode({"q": row.pk}) for key in keys}
        links = [
            (reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"), term, capfirst(meta.verbose_name_plural))
            for meta, term in terms.items()
        ]
        return format_html_join(", ", '<a href="{}?{}">{}</a>', links)

    return referring
