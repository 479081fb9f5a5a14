"""Duplicates within a batch, across its chunks: the same record again, or the same key with other content."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.arrow import Mask, Rows
from ingest.processing.key_set import KeySet
from ingest.processing.row_hashes import Hashes, joined, row_hashes
from ingest.rules.contract import Contract


@dataclass(frozen=True)
class Duplicates:
    """Of n rows: those equal to an earlier one, and those with an earlier one's key but other content."""

    duplicates: Mask
    clashes: Mask
    hashes: Hashes  # of the whole rows, as ``hash_rows`` gives them


def hash_rows(rows: pa.Table, contract: Contract) -> tuple[Hashes, Hashes, Hashes]:
    """Hash n typed rows: their natural keys, what is not key, and the whole."""
    key_names = contract.natural_key
    key = row_hashes(rows, [column for column in contract.columns if column.name in key_names])
    rest = row_hashes(rows, [column for column in contract.columns if column.name not in key_names])
    return key, rest, joined(key, rest)


class SeenRows:
    """What a batch remembers of one table's rows between chunks: keys, and hashes of what is not key."""

    def __init__(self) -> None:
        self._keys = KeySet()
        self._content: list[Hashes] = []  # by key ordinal, in stretches

    def sort_out(self, rows: pa.Table, contract: Contract) -> Duplicates:
        """Compare n typed rows with each other and with all rows before, and remember them."""
        return self._sort_out(*hash_rows(rows, contract), contract)

    def _sort_out(self, key: Hashes, rest: Hashes, whole: Hashes, contract: Contract) -> Duplicates:
        first, second = rest
        known = len(self._keys)
        owners = self._keys.add(key)
        again = ~_first_of_each(owners, known)
        clashes = np.zeros(len(again), bool)
        if len(contract.natural_key) == len(contract.columns):
            return Duplicates(again, clashes, whole)
        self._content.append((first[~again], second[~again]))
        if again.any():
            held_first, held_second = self._joined()
            owner = owners[again]
            clashes[again] = (held_first[owner] != first[again]) | (held_second[owner] != second[again])
        return Duplicates(again & ~clashes, clashes, whole)

    def _joined(self) -> Hashes:
        if len(self._content) > 1:
            first, second = zip(*self._content, strict=True)
            self._content = [(np.concatenate(first), np.concatenate(second))]
        return self._content[0]


class SeenOnce(SeenRows):
    """For a batch in one piece: where no key repeats, as is usual, no content is hashed."""

    def sort_out(self, rows: pa.Table, contract: Contract) -> Duplicates:
        """Compare n typed rows with each other; ``hashes`` are zeros where no key repeats."""
        columns = [rows[name].to_pylist() for name in contract.natural_key]
        keys = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
        if len(set(keys)) < len(keys):
            return super().sort_out(rows, contract)
        none, zeros = np.zeros(len(keys), bool), np.zeros(len(keys), np.uint64)
        return Duplicates(none, none, (zeros, zeros))


def _first_of_each(owners: Rows, known: int) -> Mask:
    """Mark the rows that brought a new key: ordinals from ``known`` on, at their first appearance."""
    fresh = np.zeros(len(owners), bool)
    new = np.flatnonzero(owners >= known)
    _, first = np.unique(owners[new], return_index=True)
    fresh[new[first]] = True
    return fresh
