"""Small pieces of pages: chips and whereabouts. Whatever came in a record is text, never markup."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html, format_html_join

from ingest.models import RejectedRecord
from ingest.table_admin.values import legible

SHOWN_REASONS = 3
SHOWN_CHARACTERS = 80


def chips(reasons: Sequence[dict[str, Any]]) -> str:
    """Return the first reasons as chips, field and code, and the first one in words."""
    shown = format_html_join(" ", "{}", ((reason_chip(reason),) for reason in reasons[:SHOWN_REASONS]))
    rest = len(reasons) - SHOWN_REASONS
    more = format_html(' <span class="forge-more">and {} more</span>', rest) if rest > 0 else ""
    words = legible(reasons[0]["message"], at_most=SHOWN_CHARACTERS) if reasons else ""
    return format_html('<div class="forge-chips">{}{}</div><div class="forge-words">{}</div>', shown, more, words)


def reason_chip(reason: dict[str, Any]) -> str:
    """Return field and code of one reason."""
    code = reason.get("constraint") or reason["code"]
    return chip(reason["field"] or "record", code)


def chip(field: str, code: str) -> str:
    """Return a chip for a field and a code."""
    name = legible(field, at_most=SHOWN_CHARACTERS // 2)
    return format_html('<span class="forge-chip"><b>{}</b> {}</span>', name, code)


def status_chip(row: Any) -> str:
    """Show the status of a reject, a batch or an account."""
    name = row.get_status_display()
    return format_html('<span class="forge-status forge-status-{}">{}</span>', row.status, name)


def whereabouts(reject: RejectedRecord) -> str:
    """Say where a record stood: in a file, or in a request."""
    line = f"line {reject.line:,}" if reject.line is not None else f"record {reject.position:,}"
    return f"{reject.file_name}, {line}" if reject.file_name else f"request, {line}"
