"""``BatchSerializer``: checks an envelope and compiles it to a ``Unit``. Rules about records stand on the models."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rest_framework.exceptions import ValidationError

from core.web.problems import Problem
from core.web.request_bodies import Body
from core.web.serializer_fields import Flag, OneOf, PlainText, StrictSerializer
from ingest.api.request.careful import MAX_RECORDS, count_records
from ingest.api.request.envelope import Envelope, read_json, read_ndjson
from ingest.api.request.parsers import CSV, NDJSON
from ingest.api.rights import require
from ingest.posting.unit import MODES, TableRecords, Unit
from ingest.readers.csv.signs import TIMES, Signs, signs_asked
from ingest.readers.signs.body import records_from_csv
from ingest.readers.signs.fitting import fitting
from ingest.readers.signs.reading import SignReader
from ingest.rules.null_words import fault_of
from ingest.rules.on_conflict import ON_CONFLICT
from ingest.rules.sources import Source, sources

RESULTS = ("errors", "all", "summary")
SIGNS = ("null", "times")  # what the address says of text, that is, of CSV


class BatchSerializer(StrictSerializer):
    """The members of an envelope beside ``records``."""

    table = PlainText(required=False, help_text="The table of all records; without it, each record names its own.")
    mode = OneOf(MODES, default="partial", help_text="partial: good records are kept; atomic: all or nothing.")
    on_conflict = OneOf(
        ON_CONFLICT,
        default="reject",
        help_text="For a key that is stored with other content; an update writes whole records.",
    )
    results = OneOf(RESULTS, default="errors", help_text="Which records the answer lists one by one.")
    dry_run = Flag(default=False, help_text="Check everything, write nothing; always answered with 200.")
    null = PlainText(
        required=False, trim_whitespace=False, help_text="The word that, without quotes, is NULL; none: no word is."
    )
    times = OneOf(TIMES, required=False, help_text="Zones in times: wall takes them off, instant means them.")

    def get_fields(self) -> dict[str, Any]:
        """Leave out what is said of text, where the records are none."""
        fields = super().get_fields()
        return {name: field for name, field in fields.items() if name not in SIGNS or self.context["envelope"] is None}

    def validate_null(self, word: str) -> str:
        """Refuse what cannot be such a word."""
        if fault := fault_of(word):
            raise ValidationError(fault, code="invalid")
        return word

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the tables, ask for the rights to them, and compile the records; ``process`` judges them later.

        Problem: 404 unknown table, 403 no permission, 400 and 413 for too few and too many records.
        """
        body: Body = self.context["body"]
        envelope: Envelope | None = self.context["envelope"]
        names = list(envelope.tables) if envelope else [attrs.get("table", "")]
        if not any(names):
            raise ValidationError({"table": ["Name the table: /api/v1/batches/?table=orders."]}, code="required")
        chosen = _find(names)
        rights = ("add", "change") if attrs["on_conflict"] == "update" else ("add",)
        require(self.context["request"].user, chosen, rights)
        if envelope is None:
            tables: tuple[TableRecords, ...] = (_csv(body, chosen[0], _signs(chosen[0], attrs)),)
        else:
            tables = tuple(TableRecords(source=source, records=envelope.records(source.contract)) for source in chosen)
        options = {name: attrs[name] for name in ("mode", "on_conflict", "dry_run")}
        refs, groups = (envelope.refs, envelope.groups) if envelope else ({}, {})
        return {**attrs, "unit": Unit(tables=tables, refs=refs, groups=groups, **options)}


def read_envelope(body: Body, parameters: dict[str, str]) -> tuple[Envelope | None, dict[str, Any]]:
    """Read what stands around the records; None for CSV, whose columns depend on its table. Returns the members too."""
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
    """Return the Sources of these names, parents first; Problem 404 for one that is none."""
    known = {source.table for source in sources()}
    for name in names:
        if name not in known:
            shown = name[:100].encode("utf-8", "replace").decode()
            detail = f"There is no table {shown!r}. Tables: {', '.join(source.table for source in sources())}."
            raise Problem(HTTPStatus.NOT_FOUND, detail, code="unknown_table")
    return [source for source in sources() if source.table in names]


def _signs(source: Source, attrs: Mapping[str, str]) -> Signs:
    """Return what the address says of the text of a body."""
    return fitting(signs_asked("?{}=", **{name: attrs.get(name, "") for name in SIGNS}), source.contract)


def _csv(body: Body, source: Source, signs: Signs) -> TableRecords:
    reader = SignReader(source.contract, signs) if signs else None
    text = records_from_csv(body.data, source.contract.names, at_most=MAX_RECORDS, reader=reader)
    count_records(0 if text.records is None else len(text.records))
    assert text.records is not None  # noqa: S101 - counted just before
    return TableRecords(source=source, records=text.records, columns=text.columns, skipped=text.skipped, signs=signs)
