"""What a load knows of parents: the keys stored before it, and those it accepted or refused itself.

Keys are held as hashes (``ingest.processing.row_hashes``), so that one look-up is one pass over a column and no query.
That is safe while the load holds its tables alone; the foreign keys, checked again by PostgreSQL, have the last word.
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.arrow import ArrowColumn as Values
from core.arrow import indices
from core.postgres.copy_out import copy_out
from ingest.processing.key_set import KeySet
from ingest.processing.lookups import Parents
from ingest.processing.process import Verdict
from ingest.processing.row_hashes import row_hashes
from ingest.rules.contract import Column, Contract, Reference
from ingest.rules.sources import Source


class LoadParents:
    """The Lookups of a load."""

    def __init__(self, sources: Iterable[Source]) -> None:
        contracts = {source.table: source.contract for source in sources}
        wanted = {reference.table for contract in contracts.values() for reference in contract.references}
        self._columns: dict[str, Column] = {
            table: contract.column(contract.natural_key[0]) for table, contract in contracts.items() if table in wanted
        }
        self._accepted: dict[str, KeySet] = defaultdict(KeySet)
        self._refused: dict[str, KeySet] = defaultdict(KeySet)

    def preload(self, cursor: CursorWrapper, contract: Contract) -> None:
        """Read the keys that ``contract``'s table holds, if any table refers to it."""
        column = self._columns.get(contract.table)
        if column is None:
            return
        query = sql.SQL("select {} from {}").format(sql.Identifier(column.name), sql.Identifier(contract.db_table))
        stored = copy_out(cursor, query, schema=pa.schema([pa.field(column.name, column.arrow_type)]))
        self._accepted[contract.table].add(row_hashes(stored, [column]))

    def remember(self, source: Source, processed: Verdict) -> None:
        """Remember the keys that one chunk of ``source`` accepted, refused (as far as they are keys) and adopted."""
        self._remember(self._accepted, source.table, processed.rows)
        if len(processed.refused):
            self._remember(self._refused, source.table, processed.checked.take(indices(processed.refused)))
        for reference in source.contract.references:
            keys = processed.adopted.get(reference.column)
            if keys is not None:
                column = self._columns[reference.table]
                self._remember(self._accepted, reference.table, pa.table({column.name: keys}))

    def refuse(self, table: str, rows: pa.Table) -> None:
        """Remember the keys of rows that PostgreSQL refused after all."""
        self._remember(self._refused, table, rows)

    def forget(self, table: str) -> None:
        """Forget what was accepted and refused: the file was rolled back."""
        self._accepted.pop(table, None)
        self._refused.pop(table, None)

    def parents(self, reference: Reference, keys: Values) -> Parents:
        """Say of n keys which parents exist."""
        column = self._columns[reference.table]
        hashes = row_hashes(pa.table({column.name: keys}), [column])
        exist = self._accepted[reference.table].contains(hashes)
        if exist.all():
            return Parents(exist, np.zeros(len(keys), bool))
        return Parents(exist, self._refused[reference.table].contains(hashes))

    def _remember(self, keys: dict[str, KeySet], table: str, rows: pa.Table) -> None:
        column = self._columns.get(table)
        if column is not None:
            known = rows.filter(pa.compute.is_valid(rows[column.name])) if rows[column.name].null_count else rows
            keys[table].add(row_hashes(known, [column]))
