"""``BatchSerializer``: checks an envelope and compiles it to a ``Unit``. Rules about records stand on the models."""

from http import HTTPStatus
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from access.problems import Problem
from ingest.api.bodies import CSV, NDJSON, Body
from ingest.api.envelopes import MAX_RECORDS, Envelope, count_records, read_json, read_ndjson
from ingest.api.rights import require
from ingest.loading.options import ON_CONFLICT
from ingest.posting.units import MODES, TableRecords, Unit
from ingest.readers.csv_body import records_from_csv
from ingest.readers.json_records import records_from_json
from ingest.sources import Source, sources

RESULTS = ("errors", "all", "summary")


class PlainText(serializers.CharField):
    """A text that came as one: no number, no boolean."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse everything else."""
        if type(data) is not str:
            self.fail("invalid")
        return str(super().to_internal_value(data))


class OneOf(serializers.ChoiceField):
    """A choice that came as text. What came instead is not repeated: it may be long, or no text at all."""

    default_error_messages = {"invalid_choice": "This is none of {choices}."}

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what only looks like one."""
        if type(data) is not str or data not in self.choices:
            self.fail("invalid_choice", choices=", ".join(map(str, self.choices)))
        return data


class Flag(serializers.BooleanField):
    """JSON's true and false; in an address, these words."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse everything else that DRF takes for a boolean."""
        words = {"true": True, "false": False} if self.context.get("words") else {}
        value = words.get(data, data) if type(data) is str else data
        if not isinstance(value, bool):
            self.fail("invalid", input=data)
        return value


class StrictSerializer(serializers.Serializer[Any]):
    """An object all of whose members are known."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse members that nobody knows, by name."""
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            message = ErrorDetail("There is no such member.", code="unknown_field")
            raise ValidationError({name[:100].encode("utf-8", "replace").decode(): [message] for name in unknown[:10]})
        return super().to_internal_value(data)


class BatchSerializer(StrictSerializer):
    """The members of an envelope beside ``records``."""

    table = PlainText(required=False, help_text="The table of all records; without it, each record names its own.")
    mode = OneOf(MODES, default="partial", help_text="partial: good records are kept; atomic: all or nothing.")
    on_conflict = OneOf(ON_CONFLICT, default="reject", help_text="For a key that is stored with other content.")
    results = OneOf(RESULTS, default="errors", help_text="Which records the answer lists one by one.")
    dry_run = Flag(default=False, help_text="Check everything, write nothing; always answered with 200.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the tables, ask for the rights to them, and compile the records; ``process`` judges them later.

        Problem: 404 unknown table, 403 no permission, 400 and 413 for too few and too many records.
        """
        body: Body = self.context["body"]
        envelope: Envelope | None = self.context["envelope"]
        names = list(envelope.sent) if envelope else [attrs.get("table", "")]
        if not any(names):
            raise ValidationError({"table": ["Name the table: /api/v1/batches/?table=orders."]}, code="required")
        chosen = _find(names)
        rights = ("add", "change") if attrs["on_conflict"] == "update" else ("add",)
        require(self.context["request"].user, chosen, rights)
        if envelope is None:
            tables: tuple[TableRecords, ...] = (_csv(body, chosen[0]),)
        else:
            tables = tuple(
                TableRecords(source=source, records=records_from_json(envelope.sent[source.table], source.contract))
                for source in chosen
            )
        options = {name: attrs[name] for name in ("mode", "on_conflict", "dry_run")}
        refs, groups = (envelope.refs, envelope.groups) if envelope else ({}, {})
        return {**attrs, "unit": Unit(tables=tables, refs=refs, groups=groups, **options)}


def read_envelope(body: Body, parameters: dict[str, str]) -> tuple[Envelope | None, dict[str, Any]]:
    """Read what stands around the records; None for CSV, whose columns depend on its table. Gives the members too."""
    if body.media_type == CSV:
        return None, dict(parameters)
    if body.media_type == NDJSON:
        return read_ndjson(body, parameters), dict(parameters)
    if parameters:
        names = ", ".join(sorted(parameters))[:100]
        raise Problem(HTTPStatus.BAD_REQUEST, f"Say this in the body, not in the address: {names}.", code="invalid")
    envelope = read_json(body)
    return envelope, dict(envelope.members)


def _find(names: list[str]) -> list[Source]:
    """Give the Sources of these names, parents first; Problem 404 for one that is none."""
    known = {source.table for source in sources()}
    for name in names:
        if name not in known:
            shown = name[:100].encode("utf-8", "replace").decode()
            detail = f"There is no table {shown!r}. Tables: {', '.join(source.table for source in sources())}."
            raise Problem(HTTPStatus.NOT_FOUND, detail, code="unknown_table")
    return [source for source in sources() if source.table in names]


def _csv(body: Body, source: Source) -> TableRecords:
    records, columns = records_from_csv(body.data, source.contract.names, at_most=MAX_RECORDS)
    count_records(0 if records is None else len(records))
    assert records is not None  # noqa: S101 - counted just before
    return TableRecords(source=source, records=records, columns=columns)
