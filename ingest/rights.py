"""Who may see what, and change it: Django's model permissions, a table at a time. API and desk both ask here."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from ingest.models import Account, Batch, RejectedRecord
from ingest.rules.sources import find_source, sources


def may_rows(user: Any, table: str, right: str) -> bool:
    """Tell whether ``user`` may ``add``, ``change`` or ``view`` rows of a table; an unknown table is for superusers."""
    source = find_source(table)
    if source is None:
        return bool(user.is_superuser)
    meta = source.model._meta
    return bool(user.has_perm(f"{meta.app_label}.{right}_{meta.model_name}"))


def viewable_tables(user: Any) -> list[str]:
    """Name the tables whose rows, batches and rejects ``user`` may see."""
    return [source.table for source in sources() if may_rows(user, source.table, "view")]


def viewable_rejects(user: Any) -> QuerySet[RejectedRecord]:
    """Return the rejects of tables that ``user`` may view."""
    rows = RejectedRecord.objects.all()
    return rows if user.is_superuser else rows.filter(table__in=viewable_tables(user))


def viewable_batches(user: Any) -> QuerySet[Batch]:
    """Return the batches that ``user`` sent, and those all of whose tables ``user`` may view.

    A load names its tables before it accounts for any of them.
    """
    if user.is_superuser:
        return Batch.objects.all()
    tables, accounts = viewable_tables(user), Account.objects.filter(batch=OuterRef("pk"))
    named = Q(options__tables__contained_by=tables) | (Q(options__tables__isnull=True) & Exists(accounts))
    return Batch.objects.filter(Q(user=user.pk) | (named & ~Exists(accounts.exclude(table__in=tables))))
