"""How the admin shows values: exactly as they are stored, where Django would round, translate or strip them."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.forms.utils import pretty_name
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from ingest.rules.fields import LocalDateTimeField, ProseField

EMPTY = "-"
SHOWN_BYTES = 100_000
# Django would leave out seconds, give a choice's label for its value, and print JSON and lists on one line.
_TOLD_APART = (
    models.DateTimeField,
    LocalDateTimeField,
    models.FloatField,
    models.JSONField,
    models.BinaryField,
    models.GeneratedField,
    ArrayField,
    ProseField,
)
# A page drops some control characters and obeys others; bidirectional ones can make one text look like another.
_INVISIBLE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "\u2421",
    **{
        code: f"\\u{code:04x}"
        for first, last in ((0x80, 0x9F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF))
        for code in range(first, last + 1)
    },
}

type Cell = Callable[[models.Model], str]
# Lazy, since Django's fields are generic for the type checker only.
type Field = models.Field[Any, Any]
type ForeignKey = models.ForeignKey[Any, Any]


def moment(value: datetime | None) -> str:
    """Write a moment to the second (or finer, where it is): on the wall clock, or local with its offset."""
    if value is None:
        return EMPTY
    if timezone.is_aware(value):
        return timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
    return value.isoformat(sep=" ")


def bytes_as_text(value: bytes | memoryview) -> str:
    """Write bytes as text that a page can show: a byte that is not UTF-8 becomes ``\\xff``, a NUL ``␀``."""
    data = bytes(value)
    text = legible(data[:SHOWN_BYTES].decode("utf-8", "backslashreplace").replace("\r\n", "\n"))
    hidden = len(data) - SHOWN_BYTES
    return f"{text}\n[{hidden:,} more bytes]" if hidden > 0 else text


def legible(text: str, *, at_most: int | None = None) -> str:
    """Write text with its control characters visible, cut to ``at_most`` characters."""
    cut = text if at_most is None or len(text) <= at_most else f"{text[: at_most - 1]}…"
    return cut.translate(_INVISIBLE)


def block(text: str) -> str:
    """Set text off, keeping its line breaks and spaces; escaped."""
    return format_html('<pre class="forge-text">{}</pre>', text)


def exactly(value: Any, field: Field) -> str:
    """Write a stored value of ``field``, or ``-`` for none."""
    if value is None or value in ([], {}):
        return EMPTY
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(field, models.JSONField):
        return block(legible(json.dumps(value, indent=2, ensure_ascii=False)))
    if isinstance(field, models.BinaryField):
        return block(bytes_as_text(value))
    if isinstance(field, models.GeneratedField):
        return bytes(value).hex() if isinstance(value, memoryview) else str(value)
    if isinstance(field, ProseField):
        return format_html('<div class="forge-prose">{}</div>', value)
    return ", ".join(map(str, value)) or EMPTY if isinstance(value, list) else str(value)


def value_cell(field: Field) -> Cell | None:
    """Return what shows the field's value exactly, or None where Django does so."""
    if not (field.choices or isinstance(field, _TOLD_APART)):
        return None

    @admin.display(description=str(field.verbose_name))
    def cell(row: models.Model) -> str:
        return exactly(field.value_from_object(row), field)

    cell.__name__ = field.name
    return cell


def parent_cell(field: ForeignKey, *, linked: bool) -> Cell:
    """Return what shows the parent by its key alone, without reading the parent; ``linked`` to its page."""
    meta = field.related_model._meta

    @admin.display(description=pretty_name(field.column or field.attname))
    def cell(row: models.Model) -> str:
        key = field.value_from_object(row)
        if key is None:
            return EMPTY
        if not linked:
            return str(key)
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(key)])
        return format_html('<a href="{}">{}</a>', url, key)

    cell.__name__ = field.name
    return cell
