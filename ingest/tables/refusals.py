"""Reasons that only the table could find: a key stored with other content, and what PostgreSQL refuses unforeseen."""

import logging
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc
from django.db import DataError, IntegrityError, connection, transaction

from core.arrow import schema_of
from ingest.processing.reasons import REASON_SCHEMA
from ingest.processing.records import Records

log = logging.getLogger(__name__)

# One row a reason, with the position of its record.
LATE_SCHEMA = schema_of(pa.field("position", pa.int64(), nullable=False), *list(REASON_SCHEMA)[1:])
STORED_ALREADY = "A record with this key is stored with other content; different: {differs}."

# Errors by position. Each is a bug of the rulebook: the checks should have found it.
type Refusals = Mapping[int, Exception]


def reasons_among(late: pa.Table, records: Records) -> pa.Table:
    """Return those of ``late`` that speak of ``records``, as ``REASON_SCHEMA``."""
    if not len(late):
        return REASON_SCHEMA.empty_table()
    rows = pc.index_in(late["position"], records.position).cast(pa.int64())
    return pa.table([rows, *late.columns[1:]], schema=REASON_SCHEMA).filter(pc.is_valid(rows))


def refused_by_database(refused: Refusals) -> pa.Table:
    """Return the reasons of rows that passed every check and that PostgreSQL refuses (``LATE_SCHEMA``); log them."""
    rows = []
    for position, error in refused.items():
        diagnostics = getattr(error.__cause__, "diag", None)
        constraint = getattr(diagnostics, "constraint_name", None)
        message = getattr(diagnostics, "message_primary", None) or str(error)
        log.error("record %s was refused by PostgreSQL (%s) and by no check", position, error)
        rows.append({"position": position, "code": "database", "message": message, "constraint": constraint})
    return pa.Table.from_pylist(rows, schema=LATE_SCHEMA)


def write_or_halve(first: int, last: int, write: Callable[[int, int], int]) -> tuple[int, dict[int, Exception]]:
    """Let ``write`` write the rows ``first`` to ``last``, or their halves, until a refused one stands alone.

    Returns the number of rows written, and the errors of those refused. Each call of ``write`` is a savepoint, at whose
    end all constraints are checked.
    """
    try:
        with transaction.atomic():
            written = write(first, last)
            with connection.cursor() as cursor:
                cursor.execute("set constraints all immediate; set constraints all deferred")
            return written, {}
    except (IntegrityError, DataError) as error:
        if first == last:
            return 0, {first: error}
    middle = (first + last) // 2
    lower, lower_refused = write_or_halve(first, middle, write)
    upper, upper_refused = write_or_halve(middle + 1, last, write)
    return lower + upper, lower_refused | upper_refused
