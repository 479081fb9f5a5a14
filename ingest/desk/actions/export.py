"""Rejects as text that can be posted back: NDJSON, and CSV that a spreadsheet opens without running anything in it."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from django.db.backends.utils import CursorWrapper

from ingest.models import RejectedRecord
from ingest.rules.sources import Source

PART_RECORDS = 1_000
# What a spreadsheet takes for a formula; a plain number may begin with its sign.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def as_csv(rejects: Iterable[RejectedRecord], source: Source, *, header: bool = True) -> str:
    """Write the records of one table, with a header; NULL and a missing field become an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = source.contract.names
    if header:
        writer.writerow(names)
    for record in records(rejects):
        writer.writerow([harmless(str(record.get(name) or "")) for name in names])
    return text.getvalue()


def as_ndjson(rejects: Iterable[RejectedRecord], source: Source, *, header: bool = True) -> str:
    """Write one record a line."""
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records(rejects))


WRITERS: dict[str, Callable[..., str]] = {"csv": as_csv, "ndjson": as_ndjson}


def in_parts(numbers: Sequence[int], source: Source, ending: str) -> Iterator[str]:
    """Write the rejects of ``numbers`` as ``csv`` or ``ndjson``, some at a time, however many there are."""
    write = WRITERS[ending]
    for first in range(0, len(numbers), PART_RECORDS):
        rows = RejectedRecord.objects.filter(pk__in=numbers[first : first + PART_RECORDS])
        yield write(rows.defer("raw").order_by("pk"), source, header=first == 0)


def left_out(cursor: CursorWrapper, numbers: Sequence[int]) -> int:
    """Count those that could not be split into fields, and so are in no file."""
    query = "select count(*) from ingest_rejectedrecord where id = any(%s) and record is null and correction is null"
    cursor.execute(query, [list(numbers)])
    return int(cursor.fetchone()[0])


def tables_of_rejects(cursor: CursorWrapper, numbers: Sequence[int]) -> list[str]:
    """Name the tables of some rejects."""
    cursor.execute('select distinct "table" from ingest_rejectedrecord where id = any(%s)', [list(numbers)])
    return [table for (table,) in cursor.fetchall()]


def records(rejects: Iterable[RejectedRecord]) -> Sequence[dict[str, object]]:
    """Return each record as last corrected, or as it came; one that could not be split into fields has none."""
    latest = (reject.record if reject.correction is None else reject.correction for reject in rejects)
    return [record for record in latest if record is not None]
