"""What a unit knows of parents: those stored, locked until its end, and those that it brings along itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.arrow import ArrowColumn, Mask, indices, mask_of
from core.postgres.array_literals import texts_array
from ingest.processing.lookups import Parents
from ingest.processing.process import Verdict
from ingest.rules.contract import Contract, Reference
from ingest.rules.key_text import value_texts
from ingest.rules.sources import Source, sources
from ingest.tables.stored_rows import column_type


class StoredParents:
    """Keys of stored parents, asked for once: one query a foreign key. With ``lock``, nobody deletes their rows until
    the transaction ends."""

    def __init__(self, cursor: CursorWrapper, *, lock: bool) -> None:
        self._cursor, self._lock = cursor, lock
        self._contracts = {source.table: source.contract for source in sources()}
        self._asked: dict[str, ArrowColumn] = {}  # by table: all keys looked up, and those of them that are stored
        self._stored: dict[str, ArrowColumn] = {}

    def hold(self, reference: Reference, keys: ArrowColumn) -> Mask:
        """Mark those of n keys that the table holds."""
        self._look_up(self._contracts[reference.table], keys)
        return mask_of(pc.is_in(keys, self._stored[reference.table]))

    def key_of(self, table: str) -> str:
        """Name the column that foreign keys to ``table`` refer to."""
        return self._contracts[table].natural_key[0]

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


@dataclass(frozen=True)
class UnitParents:
    """The Lookups of one table of a unit: what is ``stored``, and the verdicts on the tables ``before`` it, by name."""

    stored: StoredParents
    before: Mapping[str, Verdict]

    def parents(self, reference: Reference, keys: ArrowColumn) -> Parents:
        """Say of n keys which parents exist, and which this unit refused."""
        exist, refused = self.stored.hold(reference, keys), np.zeros(len(keys), bool)
        verdict = self.before.get(reference.table)
        if verdict is None:
            return Parents(exist, refused)
        key = self.stored.key_of(reference.table)
        exist = exist | mask_of(pc.is_in(keys, verdict.rows[key].combine_chunks()))
        if len(verdict.refused) and not exist.all():
            named = verdict.checked[key].take(indices(verdict.refused)).combine_chunks()
            refused = mask_of(pc.is_in(keys, named.drop_null()))
        return Parents(exist, refused)


def _joined(first: ArrowColumn | None, second: ArrowColumn) -> ArrowColumn:
    return second if first is None else pa.concat_arrays([first, second])


def tables_of(chosen: Iterable[Source]) -> list[str]:
    """Name the database tables that records of ``chosen`` are written to or refer to."""
    contracts = {source.table: source.contract for source in sources()}
    named = {table for source in chosen for table in (source.table, *(r.table for r in source.contract.references))}
    return sorted(contracts[table].db_table for table in named)
