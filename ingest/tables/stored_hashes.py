"""What a table holds already, as hashes: rows of a file that are there to the letter need not be sent and joined.

Only a short cut: a row that is not recognised here is staged, and PostgreSQL says what it is.
"""

from functools import cached_property

import numpy as np
import pyarrow as pa
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.arrow import Mask
from core.postgres.copy_out import copy_out_batches
from ingest.processing.duplicates import hash_rows
from ingest.processing.fifteen_digits import Floats, beside_or_among
from ingest.processing.key_set import KeySet
from ingest.processing.near_keys import digits_of, key_floats
from ingest.processing.row_hashes import Hashes
from ingest.rules.contract import Contract

_WORTH_IT = 4  # a file below a quarter of the table's size is cheaper to join than the table to read


class StoredHashes:
    """The rows of one table, 16 bytes each."""

    def __init__(self, cursor: CursorWrapper, contract: Contract) -> None:
        """Read the whole table."""
        cursor.execute("select reltuples from pg_class where oid = %s::regclass", [_quoted(cursor, contract)])
        expected = max(int(cursor.fetchone()[0]), 0)
        self._rows, self._keys = KeySet(expected=expected), KeySet(expected=expected)
        self._digits: list[Floats] | None = [] if key_floats(contract) else None
        names = sql.SQL(", ").join(map(sql.Identifier, contract.names))
        query = sql.SQL("select {} from {}").format(names, sql.Identifier(contract.db_table))
        for batch in copy_out_batches(cursor, query, schema=contract.schema):
            rows = pa.Table.from_batches([batch])
            key, _, whole = hash_rows(rows, contract)
            filled = filled_rows(rows, contract)
            self._rows.add(whole)
            self._keys.add((key[0][filled], key[1][filled]))
            if self._digits is not None:
                self._digits.append(digits_of(rows, contract))

    def hold(self, hashes: Hashes) -> Mask:
        """Mark those of n rows (by their ``hash_rows``) that the table holds with the same content."""
        return self._rows.contains(hashes)

    def near(self, digits: Floats) -> Mask:
        """Mark those of n keys, by their floats, that may be the same at fifteen digits as a stored one, but not equal.

        For few of them the table is then asked: in each column a stored float is as near or equal, in one not equal.
        """
        close, every = np.zeros(len(digits), bool), np.ones(len(digits), bool)
        for values, stored in zip(digits.T, self._columns, strict=True):
            beside, equal = beside_or_among(values, stored)
            close |= beside
            every &= beside | equal
        return close & every

    @cached_property
    def _columns(self) -> list[Floats]:
        """The floats of the stored keys by column, each once and in order."""
        if not self._digits:
            return []
        parts, self._digits = self._digits, None
        return [np.unique(np.concatenate(column)) for column in zip(*(part.T for part in parts), strict=True)]

    def differ(self, _rows: pa.Table, key: Hashes, whole: Hashes) -> Mask:
        """Mark those of n rows (and their ``hash_rows``) whose key the table holds with other content."""
        return self._keys.contains(key) & ~self._rows.contains(whole)


def filled_rows(rows: pa.Table, contract: Contract) -> Mask:
    """Mark rows that are more than a key: a placeholder is filled, and differs from nothing."""
    rest = [rows[name].is_valid() for name in contract.names if name not in contract.natural_key]
    filled = np.zeros(len(rows), bool)
    for present in rest:
        filled |= present.to_numpy()
    return filled


def worth_reading(cursor: CursorWrapper, contract: Contract, *, file_bytes: int) -> bool:
    """Tell whether a file is large enough, against the table, to read the table for it."""
    cursor.execute("select pg_relation_size(%s::regclass)", [_quoted(cursor, contract)])
    return int(cursor.fetchone()[0]) <= file_bytes * _WORTH_IT


def _quoted(cursor: CursorWrapper, contract: Contract) -> str:
    return str(cursor.db.ops.quote_name(contract.db_table))
