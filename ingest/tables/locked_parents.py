"""What a unit knows of parents: those stored, locked until its end, and those that it brings along itself."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.arrow import ArrowColumn, indices, mask_of
from core.postgres.array_literals import texts_array
from ingest.processing.lookups import Parents
from ingest.processing.process import Verdict
from ingest.rules.contract import Contract, Reference
from ingest.rules.key_text import value_texts
from ingest.rules.sources import Source, sources
from ingest.tables.stored_rows import column_type


class UnitParents:
    """The Lookups of a unit: one query a foreign key, whose rows nobody deletes until the transaction ends."""

    def __init__(self, cursor: CursorWrapper, *, lock: bool) -> None:
        self._cursor, self._lock = cursor, lock
        self.trusts = False  # takes parents for stored, until a record of a table is refused
        self.believed = False  # whether it did so for the table that it was told of last
        self._expected: dict[str, int] = {}
        self._contracts = {source.table: source.contract for source in sources()}
        self.forget()
        self.begin()

    def forget(self) -> None:
        """Ask the tables again: another batch has been faster."""
        self._asked: dict[str, ArrowColumn] = {}  # by table: all keys looked up, and those of them that are stored
        self._stored: dict[str, ArrowColumn] = {}

    def begin(self) -> None:
        """Forget what the unit itself brings along, before its records are judged again."""
        self._accepted: dict[str, ArrowColumn] = {}
        self._refused: dict[str, ArrowColumn] = {}

    def expect(self, contract: Contract, records: pa.Table) -> None:
        """Be told the records of the next table: while all that name a parent are good, it can be trusted."""
        self.believed = False
        self._expected = {reference.column: _given(records, reference.column) for reference in contract.references}

    def remember(self, source: Source, processed: Verdict) -> None:
        """Remember the keys of one table that were accepted, and those refused (as far as they are keys)."""
        contract = source.contract
        if len(contract.natural_key) > 1:
            return  # no foreign key refers to it
        key = contract.natural_key[0]
        self._accepted[source.table] = processed.rows[key].combine_chunks()
        refused = processed.checked[key].take(indices(processed.refused)).combine_chunks()
        self._refused[source.table] = refused.drop_null()

    def parents(self, reference: Reference, keys: ArrowColumn) -> Parents:
        """Say of n keys which parents exist."""
        if self.trusts and len(keys) == self._expected[reference.column]:
            self.believed = True
            return Parents(np.ones(len(keys), bool), np.zeros(len(keys), bool))
        self.trusts = False
        contract = self._contracts[reference.table]
        self._look_up(contract, keys)
        exist = mask_of(pc.is_in(keys, self._stored[reference.table])) | self._among(self._accepted, reference, keys)
        return Parents(exist, self._among(self._refused, reference, keys))

    def _among(
        self, known: dict[str, ArrowColumn], reference: Reference, keys: ArrowColumn
    ) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        if reference.table not in known:
            return np.zeros(len(keys), bool)
        return mask_of(pc.is_in(keys, known[reference.table]))

    def _look_up(self, contract: Contract, keys: ArrowColumn) -> None:
        """Ask for those keys that were not asked for before, in the order in which all units ask."""
        asked = self._asked.get(contract.table)
        fresh = keys.unique() if asked is None else keys.filter(pc.invert(pc.is_in(keys, asked))).unique()
        if asked is not None and not len(fresh):
            return
        key = contract.natural_key[0]
        query = sql.SQL("select {key} from {table} where {key} = any(%s::{type}[]) order by {key}{lock}").format(
            key=sql.Identifier(key),
            table=sql.Identifier(contract.db_table),
            type=sql.SQL(column_type(self._cursor, contract, key)),
            lock=sql.SQL(" for key share" if self._lock else ""),
        )
        self._cursor.execute(query, [texts_array(value_texts(fresh))])
        stored = pa.array([row[0] for row in self._cursor.fetchall()], fresh.type)
        self._asked[contract.table] = _joined(asked, fresh)
        self._stored[contract.table] = _joined(self._stored.get(contract.table), stored)


def _given(records: pa.Table, name: str) -> int:
    """Count the texts of a column that are there and not empty."""
    if name not in records.column_names:
        return 0
    return int(pc.sum(pc.greater(pc.binary_length(records.column(name)), 0)).as_py() or 0)


def _joined(first: ArrowColumn | None, second: ArrowColumn) -> ArrowColumn:
    return second if first is None else pa.concat_arrays([first, second])


def tables_of(chosen: Iterable[Source]) -> list[str]:
    """Name the database tables that records of ``chosen`` are written to or refer to."""
    contracts = {source.table: source.contract for source in sources()}
    named = {table for source in chosen for table in (source.table, *(r.table for r in source.contract.references))}
    return sorted(contracts[table].db_table for table in named)
