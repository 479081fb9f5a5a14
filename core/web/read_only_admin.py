"""Lists of the admin: rows that work alone makes, and filters that are meant."""

from typing import Any

from django.http import HttpRequest

from core.web.null_characters import REPLACEMENT


class DeclaredFilters:
    """A list is narrowed by its declared filters alone: other columns may meet values that PostgreSQL cannot read."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Take the filters of ``list_filter``: Django takes any column of the table from the address."""
        offered = {getattr(offer, "parameter_name", offer) for offer in getattr(self, "list_filter", None) or ()}
        return lookup.removesuffix("__exact").removesuffix("__isnull") in offered and REPLACEMENT not in str(value)


class ReadOnlyAdmin(DeclaredFilters):
    """Nobody adds, changes or deletes here, a superuser neither."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
