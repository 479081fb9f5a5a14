"""Rows of a file that are stored with other content, where that is not to be changed: they claim no key of the file.

They will be refused, each with its own reason. As in the endpoint, the next record with such a key takes its place.
"""

from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from django.db import transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.arrow import Mask, Rows
from core.postgres.array_literals import array_text
from core.postgres.copy_out import copy_out
from ingest.processing.duplicates import Duplicates, RowHashes, SeenRows, hash_rows
from ingest.processing.key_set import KeySet
from ingest.processing.row_hashes import Hashes
from ingest.rules.contract import Contract
from ingest.tables.stored_hashes import filled_rows
from ingest.tables.stored_rows import column_type


class StoredContent(Protocol):
    """What knows which rows of a chunk are stored with other content."""

    def differ(self, rows: pa.Table, key: Hashes, whole: Hashes, /) -> Mask:
        """Mark those of n rows (and their ``hash_rows``) whose key the table holds with other content."""
        ...


class AskedRows:
    """The stored rows of a file that is small beside its table: one query a chunk."""

    def __init__(self, cursor: CursorWrapper, contract: Contract) -> None:
        self._cursor, self._contract = cursor, contract

    def differ(self, rows: pa.Table, key: Hashes, whole: Hashes) -> Mask:
        """As ``StoredContent`` says."""
        contract, comma = self._contract, sql.SQL(", ")
        query = sql.SQL("select {names} from {table} join unnest({arrays}) as asked ({key}) using ({key})").format(
            names=comma.join(map(sql.Identifier, contract.names)),
            table=sql.Identifier(contract.db_table),
            arrays=comma.join(
                sql.SQL("{}::{}[]").format(
                    sql.Literal(_array(rows[name])), sql.SQL(column_type(self._cursor, contract, name))
                )
                for name in contract.natural_key
            ),
            key=comma.join(map(sql.Identifier, contract.natural_key)),
        )
        with transaction.atomic():
            stored = copy_out(self._cursor, query, schema=contract.schema)
        there, _, same = hash_rows(stored, contract)
        filled, keys, contents = filled_rows(stored, contract), KeySet(), KeySet()
        keys.add((there[0][filled], there[1][filled]))
        contents.add(same)
        return keys.contains(key) & ~contents.contains(whole)


class SeenBesideStored(SeenRows):
    """What a file remembers of its rows beside those that are ``stored``, where these are not to be changed."""

    def __init__(self, stored: StoredContent) -> None:
        super().__init__()
        self._stored = stored

    def sort_out_hashed(self, rows: pa.Table, hashed: RowHashes, contract: Contract, _position: Rows) -> Duplicates:
        """As ``SeenRows`` does; but a row that is stored with other content repeats none, and none repeats it."""
        key, rest, whole = hashed
        differs = self._stored.differ(rows, key, whole)
        if not differs.any():
            return self._sort_out(key, rest, whole, contract)
        clashes = np.zeros(len(differs), bool)
        clashes[differs] = self._keys.contains(_pick(key, differs)) | _led(key, differs)[differs]
        others = self._sort_out(_pick(key, ~differs), _pick(rest, ~differs), _pick(whole, ~differs), contract)
        duplicates = np.zeros(len(differs), bool)
        duplicates[~differs], clashes[~differs] = others.duplicates, others.clashes
        return Duplicates(duplicates, clashes, whole)


def _led(key: Hashes, differs: Mask) -> Mask:
    """Mark rows before which, in this chunk, one of the same key stands that does not differ."""
    marks = np.zeros(len(differs), bool)
    leading: dict[tuple[Any, Any], int] = {}
    for row in np.flatnonzero(~differs & np.isin(key[0], key[0][differs])).tolist():
        leading.setdefault((key[0][row], key[1][row]), row)
    led = np.array([lane for lane, _ in leading], np.uint64)
    for row in np.flatnonzero(differs & np.isin(key[0], led)).tolist():
        marks[row] = leading.get((key[0][row], key[1][row]), row) < row
    return marks


def _pick(hashes: Hashes, mask: Mask) -> Hashes:
    return hashes[0][mask], hashes[1][mask]


def _array(values: Any) -> str:
    return array_text([str(value) for value in values.to_pylist()])
