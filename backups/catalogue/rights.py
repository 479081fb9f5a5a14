"""Who may do what with which table: staff, by Django's permissions, and what guards the site by superusers alone."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from backups.foreign_keys import descendants
from backups.models import Backup, BackupSchedule, Restore
from backups.tables import known_models
from core.postgres.tables import find_table

BACK_UP, VERIFY, RESTORE, VIEW = (f"backups.{verb}_backup" for verb in ("add", "verify", "restore", "view"))
VIEW_RESTORES = "backups.view_restore"

# Users, permissions, sessions, tokens, the log of the admin, what a worker is to run, and this catalogue: it says which
# file is which table.
_GUARDED_APPS = ("auth", "contenttypes", "sessions", "admin", "access", "django_tasks_database")
_CATALOGUE = (Backup, BackupSchedule, Restore)


def guarded_tables() -> frozenset[str]:
    """Name the tables by which somebody could become somebody else."""
    apps_guarded = {*_GUARDED_APPS, apps.get_model(settings.AUTH_USER_MODEL)._meta.app_label}
    return frozenset(
        name for name, model in known_models().items() if model._meta.app_label in apps_guarded or model in _CATALOGUE
    )


def may(user: Any, right: str) -> bool:
    """Tell whether a member of staff has a right, such as ``RESTORE``."""
    return bool(user.is_active and user.is_staff and user.has_perm(right))


def out_of_reach(user: Any, tables: Iterable[str]) -> tuple[str, ...]:
    """Name those of ``tables`` that are for superusers only, and ``user`` is none."""
    return () if user.is_superuser else tuple(sorted(guarded_tables() & set(tables)))


def within_reach(user: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the backups or restores of tables that are not out of the user's reach."""
    return rows if user.is_superuser else rows.exclude(table__in=guarded_tables())


def with_descendants(table: str) -> tuple[str, ...]:
    """Name a table and all that a restore of it with its children may write to."""
    if table not in known_models():
        return (table,)
    with connection.cursor() as cursor:
        return (table, *(descendant.name for descendant in descendants(cursor, find_table(cursor, table))))
