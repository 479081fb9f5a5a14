"""Rows in the admin that work alone makes."""

from typing import Any

from django.http import HttpRequest


class ReadOnlyAdmin:
    """Nobody adds, changes or deletes here, a superuser neither."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
