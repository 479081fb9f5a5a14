"""Reasons that only the table could find: a key stored with other content, and what PostgreSQL refuses unforeseen."""

import logging
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import DatabaseError, DataError, IntegrityError, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import errorcodes

from ingest.processing.process import UNIQUE
from ingest.processing.reasons import REASON_SCHEMA, reasons

log = logging.getLogger(__name__)

STORED_ALREADY = "A record with this key is stored with other content; different: {differs}."
# What is said in their place to those who may not view the table.
KEY_TAKEN = "A record with this key is stored with other content."
REFUSED_UNFORESEEN = "PostgreSQL refuses this record for a reason that no check knows; it was logged."

# Errors by position. Each is a bug of the rulebook: the checks should have found it.
type Refusals = Mapping[int, Exception]


def refuses_rows(error: DatabaseError) -> bool:
    """Tell that PostgreSQL refused rows for what they are: a constraint, a value, or a trigger that raised."""
    raised = getattr(error.__cause__, "pgcode", None) == errorcodes.RAISE_EXCEPTION
    return raised or isinstance(error, IntegrityError | DataError)


def refused_by_database(refused: Refusals) -> pa.Table:
    """Return the reasons of rows that passed every check and that PostgreSQL refuses; log them."""
    messages, constraints = [], []
    for position, error in refused.items():
        diagnostics = getattr(error.__cause__, "diag", None)
        constraints.append(getattr(diagnostics, "constraint_name", None))
        messages.append(getattr(diagnostics, "message_primary", None) or str(error))
        log.error("record %s was refused by PostgreSQL (%s) and by no check", position, error)
    return reasons(
        np.array(list(refused), np.int64),
        field=None,
        code="database",
        message=pa.array(messages, pa.string()),
        constraint=pa.array(constraints, pa.string()),
    )


def without_stored(reasons: pa.Table) -> pa.Table:
    """Return n reasons without what they tell of stored rows: which columns differ, and PostgreSQL's own words.

    All other reasons speak of the record as it was sent, or say that the record it refers to is not there.
    """
    codes, messages = reasons["code"], reasons["message"]
    taken = pc.and_(pc.equal(codes, "unique"), pc.not_equal(messages, UNIQUE))
    words = pc.if_else(taken, KEY_TAKEN, pc.if_else(pc.equal(codes, "database"), REFUSED_UNFORESEEN, messages))
    return reasons.set_column(reasons.column_names.index("message"), REASON_SCHEMA.field("message"), words)


def write_or_halve(
    cursor: CursorWrapper, first: int, last: int, write: Callable[[int, int], int]
) -> tuple[int, dict[int, Exception]]:
    """Let ``write`` write the rows ``first`` to ``last``, or their halves, until a refused one stands alone.

    Returns the number of rows written, and the errors of those refused. Each call of ``write`` is a savepoint, at whose
    end all constraints are checked.
    """
    try:
        with transaction.atomic():
            written = write(first, last)
            cursor.execute("set constraints all immediate; set constraints all deferred")
            return written, {}
    except DatabaseError as error:
        if not refuses_rows(error):
            raise
        if first == last:
            return 0, {first: error}
    middle = (first + last) // 2
    lower, lower_refused = write_or_halve(cursor, first, middle, write)
    upper, upper_refused = write_or_halve(cursor, middle + 1, last, write)
    return lower + upper, lower_refused | upper_refused
