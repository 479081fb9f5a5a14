"""Which rows of a table differ from a file: PostgreSQL compares hashes, and only what differs is carried to it.

The file's row hashes go into a temporary table and are joined with those of the table. Rows with the same hash are the
same: the key is a part of it. What the join leaves over is kept as ``changes`` (the place of a row that has to go or to
change) and ``rows`` (what the file has instead), two temporary tables that end with the transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from psycopg2 import sql

from backups.fitting import Fit
from backups.rowhash import hash_expression, row_hashes
from dataforge.postgres.copying import copy_in
from dataforge.postgres.reading import copy_out
from dataforge.postgres.tables import Cursor

EXAMPLES = 5
WORK_MEMORY_MB = 128
_HASHES = "restore_hashes"
_HASH_SCHEMA = pa.schema([("position", pa.int64()), ("hash", pa.int64())])
_POSITIONS = pa.schema([("position", pa.int64())])


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How many rows a restore would add, change and remove, with the keys of some; ``present``: rows in the table."""

    fit: Fit
    changes: str
    rows: str
    added: int
    changed: int
    removed: int
    present: int
    examples: tuple[str, ...]

    @property
    def share(self) -> float:
        """What part of the rows differs, from 0.0 (none)."""
        return (self.added + self.changed + self.removed) / max(self.present, self.fit.rows, 1)

    @cached_property
    def same_key(self) -> sql.Composable:
        """Say that the rows with aliases ``t`` (table) and ``w`` (wanted) have the same key."""
        return same(self.fit.shape.key, "t", "w")


def find_difference(cursor: Cursor, fit: Fit, *, number: int = 0) -> Difference:
    """Compare the table of ``fit`` with its file; ``number`` keeps apart the temporary tables of several."""
    changes, rows = f"restore_changes_{number}", f"restore_rows_{number}"
    cursor.execute("SELECT set_config('work_mem', %s, true)", [f"{WORK_MEMORY_MB}MB"])
    cursor.execute(f"CREATE TEMPORARY TABLE {_HASHES} (position bigint, hash bigint) ON COMMIT DROP")
    copy_in(cursor, _HASHES, _hashes(fit), schema=_HASH_SCHEMA)
    cursor.execute(f"ANALYZE {_HASHES}")
    cursor.execute(
        sql.SQL(
            "CREATE TEMPORARY TABLE {changes} ON COMMIT DROP AS SELECT s.position, t.place FROM"
            " (SELECT ctid AS place, {hash} AS hash FROM ONLY {table} OFFSET 0) AS t"
            " FULL JOIN {hashes} AS s ON s.hash = t.hash WHERE t.place IS NULL OR s.position IS NULL"
        ).format(
            changes=sql.Identifier(changes),
            hash=hash_expression(fit.schema),
            table=fit.shape.identifier,
            hashes=sql.Identifier(_HASHES),
        )
    )
    cursor.execute(f"DROP TABLE {_HASHES}")
    _fetch_rows(cursor, fit, changes, rows)
    return _counted(cursor, fit, changes, rows)


def same(columns: tuple[str, ...], left: str, right: str) -> sql.Composable:
    """Say that ``columns`` are equal in the rows with these aliases."""
    return sql.SQL(" AND ").join(
        sql.SQL("{}.{} = {}.{}").format(*map(sql.Identifier, (left, name, right, name))) for name in columns
    )


def _hashes(fit: Fit) -> Iterator[pa.Table]:
    start = 0
    for group in fit.file.groups():
        positions = np.arange(start, start + group.num_rows)
        yield pa.table([pa.array(positions), pa.array(row_hashes(group))], schema=_HASH_SCHEMA)
        start += group.num_rows


def _fetch_rows(cursor: Cursor, fit: Fit, changes: str, rows: str) -> None:
    """Put the file's rows that are not in the table as they are into a temporary table like it."""
    positions = copy_out(
        cursor,
        sql.SQL("SELECT position FROM {} WHERE position IS NOT NULL ORDER BY 1").format(sql.Identifier(changes)),
        schema=_POSITIONS,
    )["position"].to_numpy()
    columns = sql.SQL(", ").join(map(sql.Identifier, fit.schema.names))
    cursor.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0").format(
            sql.Identifier(rows), columns, fit.shape.identifier
        )
    )
    copy_in(cursor, rows, _chosen(fit, positions), schema=fit.schema)
    cursor.execute(f"ANALYZE {changes}")
    cursor.execute(f"ANALYZE {rows}")


def _chosen(fit: Fit, positions: np.typing.NDArray[np.int64]) -> Iterator[pa.Table]:
    start = 0
    for group in fit.file.groups() if len(positions) else ():
        first, last = np.searchsorted(positions, (start, start + group.num_rows))
        if first < last:
            yield group.take(pa.array(positions[first:last] - start))
        start += group.num_rows


def _counted(cursor: Cursor, fit: Fit, changes: str, rows: str) -> Difference:
    table, key = fit.shape.identifier, fit.shape.key
    names = {"changes": sql.Identifier(changes), "rows": sql.Identifier(rows), "table": table}
    key_text = sql.SQL("concat_ws(' ', {})")
    cursor.execute(
        sql.SQL(
            "SELECT (SELECT count(*) FROM {rows}), (SELECT count(*) FROM {changes} WHERE place IS NOT NULL),"
            " (SELECT count(*) FROM {changes} c JOIN {table} t ON t.ctid = c.place JOIN {rows} w ON {same}),"
            " (SELECT count(*) FROM {table})"
        ).format(**names, same=same(key, "t", "w"))
    )
    ((wanted, unwanted, changed, present),) = cursor.fetchall()
    cursor.execute(
        sql.SQL(
            "SELECT CASE WHEN t.place IS NULL THEN '+ ' WHEN w.key IS NULL THEN '- ' ELSE '~ ' END"
            " || coalesce(t.key, w.key) FROM (SELECT c.place, {t_key} AS key FROM {changes} c"
            " JOIN {table} t ON t.ctid = c.place) AS t FULL JOIN (SELECT {w_key} AS key FROM {rows} w) AS w USING (key)"
            " ORDER BY 1 LIMIT {limit}"
        ).format(
            **names,
            t_key=key_text.format(_texts(key, "t")),
            w_key=key_text.format(_texts(key, "w")),
            limit=sql.Literal(EXAMPLES),
        )
    )
    return Difference(
        fit=fit,
        changes=changes,
        rows=rows,
        added=wanted - changed,
        changed=changed,
        removed=unwanted - changed,
        present=present,
        examples=tuple(text for (text,) in cursor.fetchall()),
    )


def _texts(columns: tuple[str, ...], alias: str) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("{}.{}::text").format(sql.Identifier(alias), sql.Identifier(name)) for name in columns
    )
