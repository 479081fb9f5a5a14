"""Rejects as files: for a spreadsheet, which finds nothing to run in it; or to be posted back, exactly as they are."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db.backends.utils import CursorWrapper

from core.json_scanner import DoubledMembers, as_text
from ingest.desk.actions.formulas import harmless
from ingest.models import RejectedRecord
from ingest.readers.json.records import SentRecord, storable
from ingest.replaying.as_sent import as_kept, json_lines
from ingest.rules.sources import Source

PART_RECORDS = 1_000
CELL_CHARACTERS = 16_000  # a spreadsheet's cell holds 32,767 halves of characters; the rest may begin another cell
ABOUT = (
    "reject_id",
    "reject_status",
    "reject_file",
    "reject_position",
    "reject_line",
    "reject_reasons",
    "reject_whole",
)
_BOM = "\ufeff"  # without it Excel takes UTF-8 for another encoding


def for_spreadsheet(rejects: Sequence[RejectedRecord], names: Sequence[str], *, first: bool) -> str:
    """Write what is known of each reject, then its fields, in harmless cells with a header; none is left out.

    ``reject_whole`` has a record that the columns of its table do not tell wholly.
    """
    rows: list[Sequence[Any]] = [(*ABOUT, *names)] if first else []
    for reject, sent in zip(rejects, as_kept(rejects), strict=True):
        fields: Mapping[str, Any] = sent.value if isinstance(sent.value, dict) else {}
        whole = "" if _fits(sent, names) else _as_came(reject)
        line = "" if reject.line is None else reject.line
        about = (reject.pk, reject.status, reject.file_name, reject.position, line, _reasons(reject), whole)
        rows.append((*about, *(fields.get(name) for name in names)))
    return (_BOM if first else "") + _csv([_cell(value) for value in row] for row in rows)


def to_post_as_csv(rejects: Sequence[RejectedRecord], names: Sequence[str], *, first: bool) -> str:
    """Write the fields as they are, with a header; null and a missing field become an empty cell.

    Left out is what such a line cannot hold: a field that the table does not have, a value that is no text or number,
    and a record that is the header once more. All cells are quoted: else a line of empty ones would be no record.
    """
    rows = [[sent.value.get(name) or "" for name in names] for sent in as_kept(rejects) if _fits(sent, names)]
    kept = [row for row in rows if row != list(names)]
    return _csv([names, *kept] if first else kept, quoting=csv.QUOTE_ALL)


def to_post_as_ndjson(rejects: Sequence[RejectedRecord], names: Sequence[str], *, first: bool) -> str:
    """Write one record a line: exactly the JSON that came, or the fields that a line of CSV had, or the correction."""
    return "".join(f"{line}\n" for line in json_lines([reject for reject in rejects if _is_split(reject)]))


@dataclass(frozen=True)
class Form:
    """A form of file: what it is called, its writer, its media type, and how a file's name ends."""

    name: str
    write: Callable[..., str]
    media_type: str
    ending: str


FORMS = {
    "spreadsheet": Form("CSV for a spreadsheet", for_spreadsheet, "text/csv", "for_a_spreadsheet.csv"),
    "ndjson": Form("NDJSON", to_post_as_ndjson, "application/x-ndjson", "to_post.ndjson"),
    "csv": Form("CSV, unescaped", to_post_as_csv, "text/csv", "to_post_unescaped.csv"),
}


def in_parts(numbers: Sequence[int], source: Source, form: Form) -> Iterator[str]:
    """Write the rejects of ``numbers``, some at a time, however many there are."""
    for start in range(0, len(numbers), PART_RECORDS):
        rejects = RejectedRecord.objects.filter(pk__in=numbers[start : start + PART_RECORDS]).order_by("pk")
        yield form.write(list(rejects), source.contract.names, first=start == 0)


def count_unsplit(cursor: CursorWrapper, numbers: Sequence[int]) -> int:
    """Count those that could not be split into fields, and so are in no file that can be posted."""
    query = "select count(*) from ingest_rejectedrecord where id = any(%s) and record is null and correction is null"
    cursor.execute(query, [list(numbers)])
    return int(cursor.fetchone()[0])


def tables_of_rejects(cursor: CursorWrapper, numbers: Sequence[int]) -> list[str]:
    """Name the tables of some rejects."""
    cursor.execute('select distinct "table" from ingest_rejectedrecord where id = any(%s)', [list(numbers)])
    return [table for (table,) in cursor.fetchall()]


def _is_split(reject: RejectedRecord) -> bool:
    return reject.record is not None or reject.correction is not None


def _fits(sent: SentRecord, names: Sequence[str]) -> bool:
    """Tell whether the columns of the table hold the whole record, exactly."""
    fields = sent.value
    if not isinstance(fields, dict) or isinstance(fields, DoubledMembers) or not fields.keys() <= set(names):
        return False
    return all(value is None or (isinstance(value, str) and _is_utf8(value)) for value in fields.values())


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= mark <= "\udfff" for mark in text)


def _as_came(reject: RejectedRecord) -> str:
    if reject.correction is not None:
        return json.dumps(reject.correction, ensure_ascii=False)
    return bytes(reject.raw).decode("utf-8", "backslashreplace")


def _reasons(reject: RejectedRecord) -> str:
    return " | ".join(": ".join(filter(None, (why["field"], why["message"]))) for why in reject.reasons)


def _cell(value: Any) -> str:
    cell = harmless("" if value is None else as_text(storable(value), at_most=sys.maxsize))
    if len(cell) <= CELL_CHARACTERS:
        return cell
    return cell[:CELL_CHARACTERS] + f" [cut: {len(cell):,} characters in all]"


def _csv(rows: Iterable[Sequence[Any]], *, quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=quoting).writerows(rows)
    return text.getvalue()
