"""What the desk's templates need: text that shows its control characters, chips, moments."""

from datetime import datetime
from typing import Any

from django import template
from django.contrib.admin.utils import quote
from django.db import models
from django.urls import reverse

from ingest.desk.pages import bulk_labels, html
from ingest.desk.pages.dashboard import Dashboard, dashboard
from ingest.models import Account, Batch, BulkJob
from ingest.table_admin.values import legible, moment

register = template.Library()
SHOWN_CHARACTERS = 2_000


@register.filter
def shown(text: Any) -> str:
    """Make every character of a record's text visible."""
    return legible(str(text), at_most=SHOWN_CHARACTERS)


@register.filter
def instant(value: datetime | None) -> str:
    """Write a moment to the second, with its offset."""
    return moment(value)


@register.filter
def status_chip(row: Any) -> str:
    """Show a status."""
    return html.status_chip(row)


@register.simple_tag
def chip(field: str, code: str) -> str:
    """Show a field and a code."""
    return html.chip(field, code)


@register.filter
def reason_chip(reason: dict[str, Any]) -> str:
    """Show a reason's field and code."""
    return html.reason_chip(reason)


@register.filter
def zipped(codes: Any, fields: Any) -> list[tuple[str, str]]:
    """Return a likeness's codes, each with its field where there is one for each."""
    names = list(fields) if len(fields) == len(codes) else [""] * len(codes)
    return list(zip(names, codes, strict=True))


@register.filter
def row_url(row: models.Model) -> str:
    """Return the address of a stored row in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


@register.simple_tag(takes_context=True)
def front_page(context: Any) -> Dashboard:
    """Gather what the front page shows to this user."""
    return dashboard(context["request"].user)


@register.filter
def commas(number: int) -> str:
    """Write a number with commas."""
    return f"{number:,}"


@register.filter
def sum_of(batch: Batch, names: str) -> str:
    """Add counts over all tables of a batch."""
    return f"{sum(getattr(account, name) for account in batch.accounts.all() for name in names.split()):,}"


@register.filter
def words(name: str) -> str:
    """Write a field's name for people."""
    return name.replace("_", " ")


@register.filter
def count_of(account: Account, name: str) -> str:
    """Write one count of an account."""
    return f"{getattr(account, name):,}"


@register.filter
def by_name(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Return counts in the order of their names."""
    return sorted(counts.items())


@register.filter
def seconds(value: float) -> str:
    """Write seconds to the hundredth."""
    return f"{value:,.2f}"


@register.filter
def which(job: BulkJob) -> str:
    """Say which records a job is for."""
    return bulk_labels.which(job)


@register.filter
def list_of(job: BulkJob) -> str:
    """Return the address of the list that a job was made from."""
    return bulk_labels.list_of(job)
