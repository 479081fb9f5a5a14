"""Stored rows whose keys are the same at fifteen digits as those of some rows, but not to the letter."""

import numpy as np
import pyarrow as pa
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from core.arrow import Mask
from core.postgres.array_literals import array_text
from ingest.processing.fifteen_digits import Floats, same, within_reach
from ingest.processing.near_keys import digits_of, key_floats
from ingest.rules.contract import Contract
from ingest.tables.stored_rows import column_type

# Of some keys, given by bounds of their floats, the stored ones. OFFSET: each is looked up by itself, in the index.
_STORED_WITHIN = """
select asked.number - 1, {floats}
from unnest({arrays}) with ordinality as asked ({names}, number)
cross join lateral (select {floats} from {table} t where {same} and {within} offset 0) as stored
"""


class NearStored:
    """The stored keys of one table: one query for all rows that are asked about."""

    def __init__(self, cursor: CursorWrapper, contract: Contract) -> None:
        self._cursor, self._contract = cursor, contract
        self._floats = key_floats(contract)
        self._others = [name for name in contract.natural_key if name not in self._floats]

    def settle(self, rows: pa.Table) -> tuple[Floats, Mask]:
        """Return the digits that count for n rows, and which of them are the digits of a stored key.

        Those of the stored key that is nearest, and so of the same one if it is there.
        """
        digits, stored = digits_of(rows, self._contract), np.zeros(len(rows), bool)
        found = self._within(rows, digits)
        if not found:
            return digits, stored
        number = np.array([row for row, *_ in found], np.int64)
        values = np.array([floats for _, *floats in found], np.float64)
        asked = digits[number]
        right = np.logical_and.reduce([same(mine, theirs) for mine, theirs in zip(asked.T, values.T, strict=True)])
        number, values, asked = number[right], values[right], asked[right]
        nearest = np.lexsort([*values.T, np.abs(values - asked).sum(axis=1), number])
        settled, first = np.unique(number[nearest], return_index=True)
        digits[settled], stored[settled] = values[nearest[first]], True
        return digits, stored

    def _within(self, rows: pa.Table, digits: Floats) -> list[tuple[int, *tuple[float, ...]]]:
        columns = [array_text(rows[name].to_pylist()) for name in self._others]
        for column in digits.T:
            columns += [array_text(bound.tolist()) for bound in within_reach(column)]
        self._cursor.execute(self._query(), columns)
        found: list[tuple[int, *tuple[float, ...]]] = self._cursor.fetchall()
        return found

    def _query(self) -> sql.Composed:
        comma, both = sql.SQL(", "), sql.SQL(" and ")
        floats = [(sql.Identifier(name), *map(sql.Identifier, _bounds(name))) for name in self._floats]
        others = list(map(sql.Identifier, self._others))
        types = [column_type(self._cursor, self._contract, name) for name in self._others]
        types += ["double precision"] * (2 * len(floats))
        return sql.SQL(_STORED_WITHIN).format(
            table=sql.Identifier(self._contract.db_table),
            floats=comma.join(name for name, _, _ in floats),
            arrays=comma.join(sql.SQL(f"%s::{kind}[]") for kind in types),
            names=comma.join([*others, *(bound for _, *bounds in floats for bound in bounds)]),
            same=both.join([sql.SQL("true"), *(sql.SQL("t.{0} = asked.{0}").format(name) for name in others)]),
            within=both.join(sql.SQL("t.{} between asked.{} and asked.{}").format(*names) for names in floats),
        )


def _bounds(name: str) -> tuple[str, str]:
    return f"{name} from", f"{name} to"
