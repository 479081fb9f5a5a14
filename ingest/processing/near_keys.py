"""Keys that differ only in digits beyond the fifteenth: all rows that have such keys take the digits of the first.

Only floats in a natural key are compared so, for two digits there make two rows of one. Other floats are content, whose
every digit counts.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.arrow import Mask, indices
from ingest.processing.fifteen_digits import Floats, among, close_values, neighbours
from ingest.processing.key_set import KeySet
from ingest.processing.row_hashes import Hashes, folded, row_hashes
from ingest.rules.contract import Contract

ROUNDED = "rounded"  # the repair under which rows are counted that took the digits of another


def key_floats(contract: Contract) -> list[str]:
    """Name the float columns of the natural key."""
    return [
        column.name for column in contract.columns if column.kind == "float" and column.name in contract.natural_key
    ]


def digits_of(rows: pa.Table, contract: Contract) -> Floats:
    """Return the float columns of the keys of n rows: n lines of as many floats, where NaN is NULL."""
    return np.array([rows[name].to_numpy() for name in key_floats(contract)]).T


def with_digits(rows: pa.Table, digits: Floats, contract: Contract) -> pa.Table:
    """Return n rows with ``digits`` in place of their own."""
    for name, column in zip(key_floats(contract), digits.T, strict=True):
        place = rows.column_names.index(name)
        rows = rows.set_column(
            place, rows.schema.field(place), pa.array(column, rows.schema.field(place).type, from_pandas=True)
        )
    return rows


class CloseValues:
    """Which floats of many keys have another one so close by that two keys may be the same: whether to look at all."""

    def __init__(self) -> None:
        self._columns: list[list[Floats]] = []

    def add(self, rows: pa.Table, contract: Contract, chosen: Mask) -> None:
        """Take note of the keys of the ``chosen`` ones of n rows, each once."""
        self._columns.append([rows[name].to_numpy()[chosen] for name in key_floats(contract)])

    def find(self) -> tuple[Floats, ...]:
        """Return by column, in order, the floats that have another one beside them, if two keys may be the same.

        Two keys that are the same and not equal differ in a column, and both are found by their floats there; so where
        nothing is returned, there are none.
        """
        columns = list(zip(*self._columns, strict=True))
        close = tuple(close_values(np.concatenate(parts)) for parts in columns)
        if not any(map(len, close)):
            return ()
        digits = np.column_stack([np.concatenate(parts) for parts in columns])
        digits = np.unique(digits[watched(digits, close)], axis=0)
        nothing = np.zeros(len(digits), np.uint64)
        owners = KeySet().add(_flat(_spots((nothing, nothing), digits)))
        _, first = np.unique(owners, return_index=True)
        each = len(owners) // len(digits)  # spots of a key
        return close if (first[owners] // each != np.arange(len(owners)) // each).any() else ()


def watched(digits: Floats, close: Sequence[Floats]) -> Mask:
    """Mark those of n keys that have one of the ``close`` floats (by column)."""
    marks = [among(column, values) for column, values in zip(digits.T, close, strict=True)]
    return np.logical_or.reduce(marks)


class NearKeys:
    """Keys in the order in which they came: one that is the same as an earlier one at fifteen digits takes its digits.

    To the letter first: a key that came before is what it was then. The earlier one is never one that took digits
    itself, so that many small steps lead nowhere.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._key = [column for column in contract.columns if column.name in contract.natural_key]
        self._others = [column for column in self._key if column.kind != "float"]
        self._known, self._spots = KeySet(), KeySet()
        self._digits = np.empty((0, len(self._key) - len(self._others)))  # that count, by ordinal of the known keys
        self._holders = np.empty(0, np.int64)  # of the spots, by their ordinals: ordinals of keys

    def settle(self, rows: pa.Table) -> Floats:
        """Return the digits that count for n rows, and remember them."""
        digits, before = digits_of(rows, self._contract), len(self._known)
        owners = self._known.add(row_hashes(rows, self._key))
        known, first = np.unique(owners, return_index=True)
        first = first[known >= before]
        if len(first):
            fresh = digits[first]
            spots = _spots(row_hashes(rows.take(indices(first)), self._others), fresh)
            self._digits = np.concatenate([self._digits, fresh])
            self._settle_fresh(spots, before)
        return self._digits[owners]

    def _settle_fresh(self, spots: Hashes, before: int) -> None:
        """Settle new keys, of ordinals from ``before`` on: each takes the digits of the first that holds a spot of it,
        or else holds its own."""
        held = self._spots.find(_flat(spots)).reshape(spots[0].shape)
        nobody = len(self._digits)
        holders = np.where(held < 0, nobody, np.append(self._holders, nobody)[held]).min(axis=1)
        claimed: dict[tuple[int, int], int] = {}
        for row in np.flatnonzero(holders == nobody).tolist():
            mine = list(zip(spots[0][row].tolist(), spots[1][row].tolist(), strict=True))
            holders[row] = min((claimed[spot] for spot in mine if spot in claimed), default=before + row)
            if holders[row] == before + row:
                claimed.update(dict.fromkeys(mine, before + row))
        self._digits[before:] = self._digits[holders]
        own = np.flatnonzero(holders == np.arange(before, nobody))
        owners = self._spots.add(_flat((spots[0][own], spots[1][own])))
        self._holders = np.resize(self._holders, len(self._spots))
        self._holders[owners] = np.repeat(before + own, spots[0].shape[1])


def _spots(others: Hashes, digits: Floats) -> Hashes:
    """Hash n keys, of which ``others`` are all but the floats, with each choice of neighbours: two keys that are the
    same share one. Both lanes have n lines."""
    lanes = others[0][:, None], others[1][:, None]
    for column in digits.T:
        words = np.column_stack(neighbours(column)).view(np.uint64)[:, None, :]
        lanes = folded((lanes[0][:, :, None], lanes[1][:, :, None]), words)
        lanes = lanes[0].reshape(len(digits), -1), lanes[1].reshape(len(digits), -1)
    return lanes


def _flat(hashes: Hashes) -> Hashes:
    return hashes[0].reshape(-1), hashes[1].reshape(-1)
