"""Which rows of a table differ from a file, by their hashes: of the others only those are carried, none is compared.

PostgreSQL sends key and hash of each row, the file's are computed beside it. Rows with the same hash are the same: the
key is a part of it. What is on one side only goes into two temporary tables: ``changes`` (keys of rows that have to go
or to change) and ``rows`` (what the file has instead); they end with the transaction.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from psycopg2 import sql

from backups.hashing.one_sided import HASH, HashSide, only_on_one_side, parts_for
from backups.hashing.row_hashes import hash_expression, row_hashes
from backups.restoring.examples import ADDED, CHANGED, REMOVED, RowDifference, find_examples, same
from backups.restoring.fit import FileMatch
from core.postgres.copy_in import copy_in
from core.postgres.copy_out import copy_out_batches
from core.postgres.tables import Cursor

_POSITION = "position"
# How many rows are to be added, changed and removed: by which of the two small tables has a key.
_COUNT_KINDS = sql.SQL("""
select case when t.here is null then '+' when w.here is null then '-' else '~' end, count(*)
from (select {key}, true as here from {changes}) as t
full join (select {key}, true as here from {rows}) as w using ({key})
group by 1
""")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How many rows a restore would add, change and remove, with some of them; ``present``: rows in the table."""

    fit: FileMatch
    changes: str
    rows: str
    added: int
    changed: int
    removed: int
    present: int
    examples: tuple[RowDifference, ...]

    @property
    def differing(self) -> int:
        """How many rows differ."""
        return self.added + self.changed + self.removed

    @cached_property
    def same_key(self) -> sql.Composable:
        """Say that the rows with aliases ``t`` (table) and ``w`` (wanted) have the same key."""
        return same(self.fit.shape.key, "t", "w")


def find_difference(cursor: Cursor, fit: FileMatch, *, number: int = 0) -> Difference:
    """Compare the table of ``fit`` with its file; ``number`` keeps apart the temporary tables of several."""
    changes, rows = f"restore_changes_{number}", f"restore_rows_{number}"
    _create(cursor, fit, changes, fit.shape.key)
    _create(cursor, fit, rows, fit.schema.names)
    gone, wanted, present = _one_sided(cursor, fit)
    copy_in(cursor, changes, [gone], schema=gone.schema)
    copy_in(cursor, rows, _chosen(fit, wanted), schema=fit.schema)
    for name in (changes, rows):
        cursor.execute(f"analyze {name}")
    return _counted(cursor, fit, changes, rows, present=present)


def _create(cursor: Cursor, fit: FileMatch, name: str, columns: tuple[str, ...] | list[str]) -> None:
    cursor.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} limit 0").format(
            sql.Identifier(name), _names(columns), fit.shape.identifier
        )
    )


def _one_sided(cursor: Cursor, fit: FileMatch) -> tuple[pa.Table, npt.NDArray[np.int64], int]:
    """Return the keys of rows that the file has not, the positions of those that the table has not, and its rows."""
    keys = pa.schema([fit.schema.field(name) for name in fit.shape.key])
    here = keys.append(pa.field(HASH, pa.int64()))
    parts = parts_for(fit.rows)
    file_schema = pa.schema([(_POSITION, pa.int64()), (HASH, pa.int64())])
    with (
        HashSide(here, parts=parts) as table,
        HashSide(file_schema, parts=parts) as file,
        ThreadPoolExecutor(1, thread_name_prefix="hashes") as thread,
    ):
        done = thread.submit(_hash_file, fit, file)
        query = sql.SQL("select {}, {} as {} from {}").format(
            _names(fit.shape.key), hash_expression(fit.schema), sql.Identifier(HASH), fit.shape.identifier
        )
        for batch in copy_out_batches(cursor, query, schema=here):
            table.add(batch)
        done.result()
        sides = list(only_on_one_side(table, file, parts=parts))
        gone = pa.concat_tables([mine.select(keys.names) for mine, _ in sides])
        wanted = pa.concat_tables([theirs for _, theirs in sides])[_POSITION].to_numpy()
        return gone, np.sort(wanted), table.rows


def _hash_file(fit: FileMatch, side: HashSide) -> None:
    start = 0
    for group in fit.file.groups():
        positions = np.arange(start, start + group.num_rows)
        side.add(pa.record_batch([pa.array(positions), pa.array(row_hashes(group))], schema=side.schema))
        start += group.num_rows


def _chosen(fit: FileMatch, positions: npt.NDArray[np.int64]) -> Iterator[pa.Table]:
    """Read again those row groups of the file that hold one of ``positions``, and yield these rows."""
    start = 0
    for number in range(fit.file.parquet.num_row_groups):
        rows = fit.file.parquet.metadata.row_group(number).num_rows
        first, last = np.searchsorted(positions, (start, start + rows))
        if first < last:
            yield fit.file.group(number).take(pa.array(positions[first:last] - start))
        start += rows


def _counted(cursor: Cursor, fit: FileMatch, changes: str, rows: str, *, present: int) -> Difference:
    """Count and show by the two small tables."""
    cursor.execute(
        _COUNT_KINDS.format(key=_names(fit.shape.key), changes=sql.Identifier(changes), rows=sql.Identifier(rows))
    )
    counts = dict(cursor.fetchall())
    return Difference(
        fit=fit,
        changes=changes,
        rows=rows,
        added=counts.get(ADDED, 0),
        changed=counts.get(CHANGED, 0),
        removed=counts.get(REMOVED, 0),
        present=present,
        examples=find_examples(cursor, fit.shape, fit.schema.names, changes=changes, rows=rows, counts=counts),
    )


def _names(columns: tuple[str, ...] | list[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
