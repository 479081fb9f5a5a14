"""Users and groups in the admin: nobody hands out a right that they do not have, a superuser alone makes superusers.

Whoever may change users could else set the password of somebody with more rights, or put themselves into a group. So
of those who are no superusers, each changes and deletes only users and groups whose every right they have themselves,
and finds only such rights and groups to choose from. Others are still shown to whoever may view users.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from core.web.read_only_admin import DeclaredFilters, ViewableObjects

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _Permissions = QuerySet[Permission]
    _Groups = QuerySet[Group]
    _UserAdmin = UserAdmin[User]
else:
    _UserAdmin = UserAdmin


def rights_of(user: Any) -> "_Permissions":
    """Return the rights that ``user`` has, or would have when active: their own and those of their groups."""
    if user.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(user=user.pk) | Q(group__user=user.pk)).distinct()


def groups_within(user: Any) -> "_Groups":
    """Return the groups whose every right ``user`` has."""
    beyond = Permission.objects.exclude(pk__in=rights_of(user).values("pk"))
    return Group.objects.exclude(permissions__in=beyond)


def may_manage(user: Any, other: User | Group) -> bool:
    """Say whether ``user`` has all that ``other`` has, and so gains nothing by changing it."""
    if user.is_superuser:
        return True
    if isinstance(other, Group):
        return groups_within(user).filter(pk=other.pk).exists()
    return not other.is_superuser and not rights_of(other).exclude(pk__in=rights_of(user).values("pk")).exists()


class WithinOwnRights(DeclaredFilters, ViewableObjects):
    """Mixed into an admin of users or groups: no change, no choice, beyond the rights of whoever asks."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for Django's right, and for all that ``obj`` has."""
        may: bool = super().has_change_permission(request, obj)  # type: ignore[misc]  # of the admin it is mixed into
        return may and (obj is None or may_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for Django's right, and for all that ``obj`` has."""
        may: bool = super().has_delete_permission(request, obj)  # type: ignore[misc]  # of the admin it is mixed into
        return may and (obj is None or may_manage(request.user, obj))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name what is to be deleted, and count what goes with it: log entries name records of any table."""
        named, counts, lacking, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        if not request.user.is_superuser:
            named = [name for name in named if not isinstance(name, list)]
        return named, counts, lacking, protected

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only rights that the user has, and groups that hold no others."""
        if not request.user.is_superuser:
            if db_field.related_model is Group:
                kwargs["queryset"] = groups_within(request.user)
            elif db_field.related_model is Permission:
                own = rights_of(request.user).values("pk")
                kwargs["queryset"] = Permission.objects.filter(pk__in=own).select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]


class GuardedUserAdmin(WithinOwnRights, _UserAdmin):
    """Django's page of users, whose superusers are made and changed by superusers."""

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Narrow the list by groups only for those who may view groups: the filter names them all."""
        offered = super().get_list_filter(request)
        return offered if request.user.has_perm("auth.view_group") else [name for name in offered if name != "groups"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Keep who is a superuser from others' hands."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, "is_superuser")


class GuardedGroupAdmin(WithinOwnRights, GroupAdmin):  # type: ignore[misc]  # the mixin knows no model
    """Django's page of groups."""


admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.register(User, GuardedUserAdmin)
admin.site.register(Group, GuardedGroupAdmin)
