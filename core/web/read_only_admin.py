"""Lists of the admin: rows that work alone makes, and filters that are meant."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.http import HttpRequest

from core.web.null_characters import REPLACEMENT


class DeclaredFilters:
    """A list is narrowed by its declared filters alone: other columns may meet values that PostgreSQL cannot read."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Take the filters that the list offers to whoever asks.

        Django takes any column of the table from the address, and the key of whatever refers to it: of a user's
        tokens, say, of which the key is the hash.
        """
        offers = self.get_list_filter(request)  # type: ignore[attr-defined]  # of the admin it is mixed into
        offered = {getattr(offer, "parameter_name", offer) for offer in offers or ()}
        name = lookup.removesuffix("__exact").removesuffix("__isnull")
        return (name in offered or name.removesuffix("__id") in offered) and REPLACEMENT not in str(value)


class ViewableObjects:
    """What one may not view is answered as if it were not there.

    Django's page of a thing's history is 403 for one that one may not view, and leads elsewhere where there is none.
    """

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Look for it only for those who may view such things."""
        if not self.has_view_or_change_permission(request):  # type: ignore[attr-defined]  # of the admin it is mixed into
            return None
        return super().get_object(request, object_id, from_field)  # type: ignore[misc]


class ReadOnlyAdmin(DeclaredFilters, ViewableObjects):
    """Nobody adds, changes or deletes here, a superuser neither."""

    opts: Any
    admin_site: Any

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the right to view itself: Django takes the right to change for it, and here nothing is changed."""
        codename = get_permission_codename("view", self.opts)
        return bool(request.user.has_perm(f"{self.opts.app_label}.{codename}"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name a thing to whose page Django would link, but that the user may not view, without the link."""
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]  # of the admin it is mixed into
        return [
            (title, {**options, "fields": [self._unlinked(request, field) for field in options["fields"]]})
            for title, options in fieldsets
        ]

    def _unlinked(self, request: HttpRequest, field: Any) -> Any:
        if isinstance(field, list | tuple):
            return tuple(self._unlinked(request, part) for part in field)
        key = {key.name: key for key in self.opts.fields if key.many_to_one}.get(field)
        page = key and self.admin_site.get_model_admin(key.related_model)
        if key is None or page is None or page.has_view_permission(request):
            return field

        @admin.display(description=key.verbose_name)
        def text(row: Any) -> Any:
            return getattr(row, key.name)

        return text

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
