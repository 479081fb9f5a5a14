"""The few rows that a table holds under the keys of a unit, compared in memory: a temporary table would cost more."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.arrow import Mask
from core.postgres.array_literals import array_text
from ingest.rules.contract import Contract

type Key = tuple[Any, ...]


def column_type(cursor: CursorWrapper, contract: Contract, column: str) -> str:
    """Name the PostgreSQL type of a column."""
    field = next(field for field in contract.model._meta.concrete_fields if field.column == column)
    return str(field.db_type(cursor.db))


def keys_of(rows: pa.Table, contract: Contract) -> list[Key]:
    """Return the natural keys of n typed rows."""
    return list(zip(*(rows[name].to_pylist() for name in contract.natural_key), strict=True))


@dataclass(frozen=True, kw_only=True)
class StoredComparison:
    """Of n rows: which are not stored, which are to the letter, and which only as a placeholder.

    ``differs``: by row, the names of the columns in which the stored row is another one.
    """

    new: Mask
    unchanged: Mask
    placeholder: Mask
    differs: dict[int, tuple[str, ...]]


def all_new(count: int) -> StoredComparison:
    """Take ``count`` rows for new."""
    none = np.zeros(count, bool)
    return StoredComparison(new=~none, unchanged=none, placeholder=none, differs={})


class NewKeys:
    """Takes every key for new, and asks nothing: PostgreSQL refuses one that is stored."""

    def compare(self, rows: pa.Table) -> StoredComparison:
        """Take n typed rows for new."""
        return all_new(len(rows))


class StoredRows:
    """The rows of one table under the keys that they are asked for by, each read once."""

    def __init__(self, cursor: CursorWrapper, contract: Contract, *, lock: bool, fills_placeholders: bool) -> None:
        """``lock``: rows that are found are locked against changes, for an update."""
        self._cursor, self._contract = cursor, contract
        self._fills = fills_placeholders
        self._lock = lock
        self._rest = [name for name in contract.names if name not in contract.natural_key]
        self._asked: set[Key] = set()
        self._rows: dict[Key, dict[str, Any]] = {}

    def compare(self, rows: pa.Table) -> StoredComparison:
        """Compare n typed rows with those stored under the same keys."""
        keys = keys_of(rows, self._contract)
        self._read([key for key in keys if key not in self._asked])
        new = np.fromiter((key not in self._rows for key in keys), bool, len(keys))
        held = np.flatnonzero(~new)
        unchanged, placeholder = np.zeros(len(keys), bool), np.zeros(len(keys), bool)
        differs: dict[int, tuple[str, ...]] = {}
        for row, content in zip(held.tolist(), rows.take(pa.array(held)).to_pylist(), strict=True):
            stored = self._rows[keys[row]]
            other = tuple(name for name in self._rest if stored[name] != content[name])
            if not other:
                unchanged[row] = True
            elif self._fills and all(stored[name] is None for name in self._rest):
                placeholder[row] = True
            else:
                differs[row] = other
        return StoredComparison(new=new, unchanged=unchanged, placeholder=placeholder, differs=differs)

    def _read(self, keys: list[Key]) -> None:
        if not keys:
            return
        self._cursor.execute(
            _query(self._cursor, self._contract, lock=self._lock),
            [array_text(values) for values in zip(*keys, strict=True)],
        )
        names, places = self._contract.names, [self._contract.names.index(n) for n in self._contract.natural_key]
        for stored in self._cursor.fetchall():
            self._rows[tuple(stored[place] for place in places)] = dict(zip(names, stored, strict=True))
        self._asked.update(keys)


def _query(cursor: CursorWrapper, contract: Contract, *, lock: bool) -> sql.Composed:
    comma = sql.SQL(", ")
    key = [sql.Identifier(name) for name in contract.natural_key]
    arrays = [sql.SQL(f"%s::{column_type(cursor, contract, name)}[]") for name in contract.natural_key]
    return sql.SQL("select {columns} from {table} t join unnest({arrays}) as k ({key}) using ({key}) {order}").format(
        columns=comma.join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in contract.names),
        table=sql.Identifier(contract.db_table),
        arrays=comma.join(arrays),
        key=comma.join(key),
        order=sql.SQL("order by {} for no key update of t").format(
            comma.join(sql.SQL("t.{}").format(name) for name in key)
        )
        if lock
        else sql.SQL(""),
    )
