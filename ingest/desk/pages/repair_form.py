"""The form in which a person repairs a record: a field for every column, all from the contract.

It has no rules of its own: what is entered is replayed, and the verdict comes back beside the fields.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms

from ingest.desk.pages.reject_lines import Line, lines_of
from ingest.models import RejectedRecord
from ingest.rules.contract import Column
from ingest.rules.sources import Source

LONG_TEXT = 100  # characters, from which on a text gets an area instead of a line
PREFIX = "record"


class RepairForm(forms.Form):
    """A record of one table, as text."""

    def __init__(self, reject: RejectedRecord, source: Source, data: Mapping[str, Any] | None = None) -> None:
        self.reject, self.source = reject, source
        self.lines = lines_of(reject, source)
        self.start = starting_values(reject, self.lines)
        super().__init__(data, prefix=PREFIX, initial=self.start)
        lines = {line.name: line for line in self.lines}
        for column in source.contract.columns:
            entered = None if data is None else data.get(self.add_prefix(column.name))
            line = lines[column.name]
            self.fields[column.name] = _field(column, line, [line.came, self.start[column.name], entered])

    def rows(self) -> Iterable[tuple[Line, forms.BoundField | None]]:
        """Return each field's line and input; one that the table has no column for has none."""
        return [(line, self[line.name] if line.known else None) for line in self.lines]

    def record(self) -> dict[str, str]:
        """Return the record to replay: an empty input is a member left out, which means NULL where that is allowed."""
        entered = {name: self._entered(name) for name in self.source.contract.names}
        return {name: value for name, value in entered.items() if value != ""}

    def changed(self) -> list[str]:
        """Name the columns that the person changed."""
        return [name for name in self.source.contract.names if self._entered(name) != self.start[name]]

    def _entered(self, name: str) -> str:
        """Return a value; one that only lost its way of breaking lines in the browser is the one it was."""
        value, start = str(self.cleaned_data.get(name) or ""), self.start[name]
        plain = value.replace("\r\n", "\n")
        return start if plain == start.replace("\r\n", "\n") else plain

    def show(self, reasons: Iterable[Mapping[str, Any]]) -> None:
        """Put a verdict's reasons beside the fields that they speak of."""
        for reason in reasons:
            field = reason["field"] if reason["field"] in self.source.contract.names else None
            about = f"{reason['field']}: " if reason["field"] and field is None else ""
            self.add_error(field, f"{about}{reason['message']}")


def starting_values(reject: RejectedRecord, lines: Iterable[Line]) -> dict[str, str]:
    """Return what the inputs hold at first: the last correction, or else the raw values as they came."""
    if reject.correction is not None:
        return {line.name: str(reject.correction.get(line.name) or "") for line in lines}
    return {line.name: line.came or "" for line in lines}


def _field(column: Column, line: Line, values: Sequence[str | None]) -> forms.Field:
    """Return a column's input; ``values``: what came, what stands in it at first, and what was entered."""
    start = values[1] or ""
    if column.choices:
        widget: forms.Widget = forms.Select(choices=_choices(column, line, values))
    elif "\n" in start or len(start) > LONG_TEXT or (column.kind == "text" and column.max_length is None):
        widget = forms.Textarea(attrs={"rows": min(8, 3 + start.count("\n") + len(start) // LONG_TEXT)})
    else:
        number = column.kind in ("integer", "decimal", "float")
        widget = forms.TextInput(attrs={"inputmode": "decimal"} if number else {})
    widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
    if line.wrong:
        widget.attrs["class"] = "forge-wrong"
    return forms.CharField(label=column.name, required=False, strip=False, widget=widget, help_text=line.rule)


def _choices(column: Column, line: Line, values: Sequence[str | None]) -> list[tuple[str, str]]:
    """Return the allowed values, and before them those others that must not be lost from sight."""
    others = [value for value in dict.fromkeys(values) if value and value not in column.choices]
    named = [(value, f"{value} ({'as it came' if value == line.came else 'as entered'})") for value in others]
    return [("", "(empty)"), *named, *((choice, choice) for choice in column.choices)]
