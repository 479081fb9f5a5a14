"""Write a unit's rows: new ones by COPY in the order of their keys, changed ones by one UPDATE a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from django.db import IntegrityError, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import errorcodes, sql

from core.arrow import Rows, indices
from core.postgres.array_literals import array_text
from core.postgres.copy_in import copy_in
from ingest.rules.contract import Contract
from ingest.tables.refusals import Refusals, write_or_halve
from ingest.tables.stored_rows import column_type


@dataclass(frozen=True, kw_only=True)
class TableRows:
    """What is to be written to one table; ``position`` gives each row's index in the unit."""

    contract: Contract
    new: pa.Table
    new_position: Rows
    changed: pa.Table
    changed_position: Rows


@dataclass(frozen=True)
class RowCounts:
    """The server's own counts of one table."""

    inserted: int
    updated: int


def in_key_order(rows: pa.Table, position: Rows, contract: Contract) -> tuple[pa.Table, Rows]:
    """Sort rows as every unit does, so that two of them cannot wait for each other."""
    if len(rows) < 2:
        return rows, position
    order = pa.compute.sort_indices(rows, [(name, "ascending") for name in contract.natural_key])
    return rows.take(order), position[order.to_numpy()]


def write(cursor: CursorWrapper, tables: Sequence[TableRows]) -> list[RowCounts]:
    """Write all, parents first: Django's IntegrityError or DataError where PostgreSQL refuses a row.

    Must run in a savepoint of its own, which the caller rolls back then.
    """
    counts = [
        RowCounts(_insert(cursor, table.contract, table.new), _update(cursor, table.contract, table.changed))
        for table in tables
    ]
    # Django's foreign keys would wait for the commit.
    cursor.execute("set constraints all immediate; set constraints all deferred")
    return counts


def key_exists(error: Exception) -> bool:
    """Tell whether PostgreSQL refused a key that exists."""
    return isinstance(error, IntegrityError) and getattr(error.__cause__, "pgcode", "") == errorcodes.UNIQUE_VIOLATION


def culprits(cursor: CursorWrapper, tables: Sequence[TableRows]) -> Refusals:
    """Find the rows that PostgreSQL refuses, by writing ever smaller parts; nothing of that is kept.

    Of the first table that has any: what it refuses of others may only be their children.
    """
    errors: dict[int, Exception] = {}
    with transaction.atomic():
        for table in tables:
            for rows, position, send in (
                (table.new, table.new_position, _insert),
                (table.changed, table.changed_position, _update),
            ):
                if not len(rows):
                    continue

                def part(first: int, last: int, rows: pa.Table = rows, send=send, table=table) -> int:  # type: ignore[no-untyped-def]
                    return send(cursor, table.contract, rows.slice(first, last - first + 1))

                _, refused = write_or_halve(cursor, 0, len(rows) - 1, part)
                errors |= {int(position[row]): error for row, error in refused.items()}
            if errors:
                break
        transaction.set_rollback(True)
    return errors


def _insert(cursor: CursorWrapper, contract: Contract, rows: pa.Table) -> int:
    return copy_in(cursor, contract.db_table, [rows], schema=contract.schema) if len(rows) else 0


def _update(cursor: CursorWrapper, contract: Contract, rows: pa.Table) -> int:
    """Set all but the key, which is never touched. The rows were locked in key order when they were looked up."""
    if not len(rows):
        return 0
    comma, key = sql.SQL(", "), contract.natural_key
    statement = sql.SQL("update {table} t set {sets} from unnest({arrays}) as s ({names}) where {same}").format(
        table=sql.Identifier(contract.db_table),
        sets=comma.join(sql.SQL("{0} = s.{0}").format(sql.Identifier(n)) for n in contract.names if n not in key),
        arrays=comma.join(sql.SQL(f"%s::{column_type(cursor, contract, name)}[]") for name in contract.names),
        names=comma.join(map(sql.Identifier, contract.names)),
        same=sql.SQL(" and ").join(sql.SQL("t.{0} = s.{0}").format(sql.Identifier(name)) for name in key),
    )
    cursor.execute(statement, [array_text(rows[name].to_pylist()) for name in contract.names])
    return int(cursor.rowcount)


def pick(rows: pa.Table, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> pa.Table:
    """Return the rows that ``mask`` marks."""
    return rows if mask.all() else rows.take(indices(np.flatnonzero(mask)))
