"""Form fields for the model fields of ``ingest.rules.fields``."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

INVALID_MOMENT = "Enter a date and time as YYYY-MM-DD HH:MM:SS, without a zone."


class LocalDateTimeFormField(forms.CharField):
    """Wall-clock time as text in and a naive ``datetime`` out.

    Not ``forms.DateTimeField``: that one refuses a midnight that the start of DST skipped.
    """

    default_error_messages = {"invalid": INVALID_MOMENT}

    def to_python(self, value: Any) -> datetime.datetime | None:  # type: ignore[override]  # a moment, not its text
        if isinstance(value, datetime.datetime):
            return value
        text = super().to_python(value)
        if not text:
            return None
        try:
            moment = datetime.datetime.fromisoformat(text)
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        if moment.tzinfo is not None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return moment

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat(sep=" ") if isinstance(value, datetime.datetime) else value
