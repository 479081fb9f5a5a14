"""Staged rows against stored ones: what is new, unchanged, or in conflict; then one INSERT and one UPDATE.

The stage is a temporary table with the contract's columns and the position of each row's record. A load of
a table that is not empty comes this way; the endpoint's few rows are compared in memory (``stored_rows``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.arrow import schema_of
from core.postgres.array_literals import array_text
from core.postgres.copy_out import copy_out
from ingest.rules.contract import Contract
from ingest.rules.key_text import key_sql
from ingest.tables.refusals import Refusals, write_or_halve

CONFLICT_SCHEMA = schema_of(
    pa.field("position", pa.int64(), nullable=False),
    pa.field("key", pa.string(), nullable=False),
    pa.field("differs", pa.string(), nullable=False),  # names of the columns whose content differs
)
STAGE = sql.Identifier("row_stage")
CHANGES = sql.Identifier("row_changes")
WORK_MEMORY = "64MB"  # of the joins that compare; twice that for a hash

# The columns are those of the table itself, so that nothing is converted between the two.
_CREATE_STAGE = """
create temporary table {stage} on commit drop as select {columns}, 0::bigint as position from {table} limit 0
"""
# Takes back rows, by the positions of their records.
_DISCARD = "delete from {stage} where position = any(%s::bigint[])"
# Of some keys of parents, those that staged rows still name.
_NAMED = "select distinct {column} from {stage} where {column} = any(%s)"
# Counts the staged rows by what the table holds under their keys, in the order of ``StagedCounts``.
_COUNT_BY_STORED = """
select count(*) filter (where t.{first_key} is null),
    count(*) filter (where {is_stored} and {same}),
    count(*) filter (where {is_stored} and not ({same}) and not {fill}),
    count(*) filter (where {is_stored} and not ({same}) and {fill})
from {stage} s left join {table} t on {on_key}
"""
# Keeps the positions of the rows that are not unchanged: joined once more, three statements would pay for it.
_KEEP_CHANGES = """
create temporary table {changes} on commit drop as
select s.position, t.{first_key} is null as new, {is_stored} and {fill} as fill
from {stage} s left join {table} t on {on_key} where t.{first_key} is null or not ({same})
"""
# Names the key of each row that is stored with other content, and the columns that differ.
_CONFLICTS = """
select s.position, {key_text} as key, concat_ws(', ', {differs}) as differs
from {changes} c join {stage} s using (position) join {table} t on {on_key}
where not c.new and not c.fill order by position
"""
# Fills placeholders, and writes over rows with other content where that is wanted; never touches a key.
_UPDATE = """
update {table} t set {assignments} from {stage} s join {changes} c using (position)
where {on_key} and not c.new and (c.fill or {conflicts}) and position between {first} and {last}
"""
# Inserts new rows in the order of their keys, which is that of the index.
_INSERT = """
insert into {table} ({columns}) select {columns} from {stage} s join {changes} c using (position)
where c.new and position between {first} and {last} order by {key}
"""


@dataclass(frozen=True, kw_only=True)
class StagedCounts:
    """Staged rows by what the table already holds; ``conflicts`` have the same key and other content."""

    new: int
    unchanged: int
    conflicts: int
    placeholders: int  # stored rows that are nothing but a key, to be filled


class StagingTable:
    """The staged rows of one table, in one transaction."""

    def __init__(self, cursor: CursorWrapper, contract: Contract, *, fills_placeholders: bool) -> None:
        self.cursor, self.contract = cursor, contract
        self.key = [sql.Identifier(name) for name in contract.natural_key]
        self.rest = [sql.Identifier(name) for name in contract.names if name not in contract.natural_key]
        self.table = sql.Identifier(contract.db_table)
        self._fills = fills_placeholders and bool(self.rest)

    def create(self) -> None:
        """Make the empty stage; it goes with the transaction."""
        self._execute(_CREATE_STAGE)

    def discard(self, positions: Sequence[int]) -> int:
        """Take back the rows at ``positions``; return how many were staged."""
        self.cursor.execute(self._compose(_DISCARD), [array_text(positions)])
        return int(self.cursor.rowcount)

    def named(self, column: str, keys: list[Any]) -> list[Any]:
        """Return those of ``keys`` that staged rows name in ``column``."""
        self.cursor.execute(self._compose(_NAMED, column=sql.Identifier(column)), [keys])
        return [key for (key,) in self.cursor.fetchall()]

    def classify(self) -> StagedCounts:
        """Compare the staged rows with the table; keep what is not unchanged, if anything is not."""
        self._execute("analyze {stage}")
        self.cursor.execute("select set_config('work_mem', %s, true)", [WORK_MEMORY])
        self._execute(_COUNT_BY_STORED)
        new, unchanged, conflicts, placeholders = self.cursor.fetchone()
        if new or conflicts or placeholders:
            self._execute(_KEEP_CHANGES)
            self._execute("analyze {changes}")
        return StagedCounts(new=new, unchanged=unchanged, conflicts=conflicts, placeholders=placeholders)

    def conflicts(self) -> pa.Table:
        """Return the rows that are stored with other content (``CONFLICT_SCHEMA``), by position."""
        differs = sql.SQL(", ").join(
            sql.SQL("case when s.{0} is distinct from t.{0} then {1} end").format(name, sql.Literal(name.string))
            for name in self.rest
        )
        return copy_out(self.cursor, self._compose(_CONFLICTS, differs=differs), schema=CONFLICT_SCHEMA)

    def update(self, *, conflicts: bool) -> tuple[int, Refusals]:
        """Write staged content over stored rows: placeholders, and ``conflicts`` too if asked; keys are never set."""
        assignments = sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(name) for name in self.rest)
        return self._write(_UPDATE, assignments=assignments, conflicts=sql.Literal(conflicts))

    def insert(self) -> tuple[int, Refusals]:
        """Insert the new rows in key order."""
        return self._write(_INSERT)

    def _write(self, statement: str, **parts: sql.Composable) -> tuple[int, Refusals]:
        """Return the number of rows written, and by position the errors of those that the database refuses."""
        self._execute("select coalesce(min(position), 0), coalesce(max(position), 0) from {changes}")
        lowest, highest = self.cursor.fetchone()

        def write(first: int, last: int) -> int:
            self._execute(statement, first=sql.Literal(first), last=sql.Literal(last), **parts)
            return int(self.cursor.rowcount)

        return write_or_halve(self.cursor, lowest, highest, write)

    def _compose(self, text: str, **parts: sql.Composable) -> sql.Composed:
        comma = sql.SQL(", ")
        same = sql.SQL(" and ").join(sql.SQL("s.{0} is not distinct from t.{0}").format(name) for name in self.rest)
        fill = sql.SQL("num_nonnulls({}) = 0").format(comma.join(sql.SQL("t.{}").format(name) for name in self.rest))
        return sql.SQL(text).format(
            table=self.table,
            stage=STAGE,
            changes=CHANGES,
            columns=comma.join([sql.Identifier(name) for name in self.contract.names]),
            key=comma.join(self.key),
            key_text=key_sql(self.contract, "s"),
            first_key=self.key[0],
            is_stored=sql.SQL("t.{} is not null").format(self.key[0]),
            on_key=sql.SQL(" and ").join(sql.SQL("t.{0} = s.{0}").format(name) for name in self.key),
            same=same if self.rest else sql.SQL("true"),
            fill=fill if self._fills else sql.SQL("false"),
            **parts,
        )

    def _execute(self, text: str, **parts: Any) -> None:
        self.cursor.execute(self._compose(text, **parts))
