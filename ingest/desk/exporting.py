"""Rejects as text that can be posted back: NDJSON, and CSV that a spreadsheet opens without running anything in it."""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence

from ingest.models import RejectedRecord
from ingest.sources import Source

# What a spreadsheet takes for a formula; a plain number may begin with its sign.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def harmless(cell: str) -> str:
    """Give a cell that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def as_csv(rejects: Iterable[RejectedRecord], source: Source) -> str:
    """Write the records of one table, with a header; NULL and a missing field become an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = source.contract.names
    writer.writerow(names)
    for record in records(rejects):
        writer.writerow([harmless(str(record.get(name) or "")) for name in names])
    return text.getvalue()


def as_ndjson(rejects: Iterable[RejectedRecord]) -> str:
    """Write one record a line."""
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records(rejects))


def records(rejects: Iterable[RejectedRecord]) -> Sequence[dict[str, object]]:
    """Give each record as last corrected, or as it came; one that could not be split into fields has none."""
    found = (reject.record if reject.correction is None else reject.correction for reject in rejects)
    return [record for record in found if record is not None]
