"""Duplicates within a batch, across its chunks: the same record again, or the same key with other content.

Of records with one key the first counts (``SeenRows``, ``SeenOnce``) or, where stored rows are to be updated, the last
(``SeenVersions``, ``LastOnce``).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from core.arrow import Mask, Rows
from ingest.processing.key_set import KeySet
from ingest.processing.row_hashes import Hashes, Words, joined, row_hashes
from ingest.rules.contract import Contract


@dataclass(frozen=True)
class Rounding:
    """n rows as they count, of which those that are ``rounded`` took the digits of another (see ``near_keys``)."""

    rows: pa.Table
    rounded: Mask


@dataclass(frozen=True)
class Duplicates:
    """Of n rows: those equal to another one, and those with the key of another one, which counts, but other content.

    ``winners``: where the last record of a key counts, the position of that one, for each of the n rows. ``rounding``:
    the rows as they count, if that is not as they came. ``held``: those that the table is known to hold to the letter,
    if that was asked.
    """

    duplicates: Mask
    clashes: Mask
    hashes: Hashes  # of the whole rows, as ``hash_rows`` gives them
    winners: Rows | None = None
    rounding: Rounding | None = None
    held: Mask | None = None


class Seen(Protocol):
    """What a batch remembers of one table's rows."""

    def sort_out(self, rows: pa.Table, contract: Contract, position: Rows, /) -> Duplicates:
        """Compare n typed rows with each other and with all rows before, and remember them; positions ascend."""
        ...


type RowHashes = tuple[Hashes, Hashes, Hashes]  # of n natural keys, of what is not key, and of the whole


def hash_rows(rows: pa.Table, contract: Contract) -> RowHashes:
    """Hash n typed rows."""
    key_names = contract.natural_key
    key = row_hashes(rows, [column for column in contract.columns if column.name in key_names])
    rest = row_hashes(rows, [column for column in contract.columns if column.name not in key_names])
    return key, rest, joined(key, rest)


class SeenRows:
    """What a batch remembers of one table's rows between chunks: keys, and hashes of what is not key."""

    def __init__(self) -> None:
        self._keys = KeySet()
        self._content: list[Hashes] = []  # by key ordinal, in stretches

    def sort_out(self, rows: pa.Table, contract: Contract, position: Rows) -> Duplicates:
        """As ``Seen`` says."""
        return self.sort_out_hashed(rows, hash_rows(rows, contract), contract, position)

    def sort_out_hashed(self, _rows: pa.Table, hashed: RowHashes, contract: Contract, _position: Rows) -> Duplicates:
        """Do so for n rows whose hashes are known."""
        return self._sort_out(*hashed, contract)

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

    def sort_out(self, rows: pa.Table, contract: Contract, position: Rows) -> Duplicates:
        """Compare n typed rows with each other; ``hashes`` are zeros where no key repeats."""
        return super().sort_out(rows, contract, position) if _repeats(rows, contract) else _distinct(len(rows))


class LastOnce(SeenRows):
    """For a batch in one piece, too, of whose records with one key the last counts."""

    def sort_out(self, rows: pa.Table, contract: Contract, position: Rows) -> Duplicates:
        """Compare n typed rows with each other; ``hashes`` are zeros where no key repeats."""
        if not _repeats(rows, contract):
            return _distinct(len(rows))
        key, _, whole = hash_rows(rows, contract)
        duplicates, clashes, winners = last_of_each(KeySet().add(key), KeySet().add(whole))
        return Duplicates(duplicates, clashes, whole, position[winners])


class SeenVersions(SeenRows):
    """For a file in stretches, of whose records with one key the last counts: its end tells which (``superseded``).

    Until then each content of a key is let through once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._others = KeySet()  # contents that are not the first of their key
        self._firsts: list[tuple[Rows, Words, Words]] = []  # by key ordinal: position and hash, in stretches
        self._repeats: list[tuple[Rows, Rows, Words, Words]] = []  # key ordinal, position and hash

    @property
    def contested(self) -> bool:
        """Whether a key has come with more than one content."""
        return len(self._others) > 0

    def sort_out_hashed(self, rows: pa.Table, hashed: RowHashes, contract: Contract, position: Rows) -> Duplicates:
        """Compare n typed rows with each other and with all rows before; only ``duplicates`` are known yet."""
        key, _, (first, second) = hashed
        known = len(self._keys)
        owners = self._keys.add(key)
        again = ~_first_of_each(owners, known)
        duplicates = again.copy()
        if len(contract.natural_key) < len(contract.columns):
            self._firsts.append((position[~again], first[~again], second[~again]))
            if again.any():
                repeats = owners[again], position[again], first[again], second[again]
                self._repeats.append(repeats)
                known, differs = len(self._others), self._differ(*repeats)
                others = self._others.add((first[again][differs], second[again][differs]))
                duplicates[np.flatnonzero(again)[differs]] = ~_first_of_each(others, known)
        return Duplicates(duplicates, np.zeros(len(again), bool), (first, second))

    def superseded(self) -> tuple[Rows, Rows]:
        """Return the positions of rows, let through before, in whose place a later one of their key counts; and its."""
        if not self.contested:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        owners, at, first, second = (np.concatenate(parts) for parts in zip(*self._repeats, strict=True))
        contested = np.unique(owners[self._differ(owners, at, first, second)])
        mine = np.isin(owners, contested)
        began, *hashes = (part[contested] for part in self._joined_firsts())
        at = np.concatenate([began, at[mine]])
        order = np.argsort(at)
        of_keys = np.searchsorted(contested, np.concatenate([contested, owners[mine]]))[order]
        lanes = (np.concatenate(pair)[order] for pair in zip(hashes, (first[mine], second[mine]), strict=True))
        _, clashes, winners = last_of_each(of_keys, KeySet().add((next(lanes), next(lanes))))
        at = at[order]
        return at[clashes], at[winners[clashes]]

    def _differ(self, owners: Rows, _position: Rows, first: Words, second: Words) -> Mask:
        """Mark repeats whose content is not that of the first row of their key."""
        _, held_first, held_second = self._joined_firsts()
        return (held_first[owners] != first) | (held_second[owners] != second)

    def _joined_firsts(self) -> tuple[Rows, Words, Words]:
        if len(self._firsts) > 1:
            position, first, second = zip(*self._firsts, strict=True)
            self._firsts = [(np.concatenate(position), np.concatenate(first), np.concatenate(second))]
        return self._firsts[0]


def last_of_each(owners: Rows, contents: Rows) -> tuple[Mask, Mask, Rows]:
    """Let the last of the rows of each key count: n rows in order, by ordinals of their keys and whole contents.

    Returns which are duplicates of another row, which are superseded by one with other content, and for each row the
    one that counts for its key. Equal rows at the end of a key's are duplicates of the first of them; of a content that
    does not count, the first row is superseded and the others are its duplicates.
    """
    rows, keys = np.arange(len(owners)), int(owners.max()) + 1
    last, other, counts = np.empty(keys, np.int64), np.full(keys, -1), np.empty(keys, np.int64)
    first = np.empty(int(contents.max()) + 1, np.int64)
    last[owners] = rows  # of equal places the last assignment stays, here and below
    final = contents == contents[last[owners]]
    other[owners[~final]] = rows[~final]
    closing = np.flatnonzero(rows > other[owners])[::-1]
    counts[owners[closing]] = closing
    first[contents[::-1]] = rows[::-1]
    winners = counts[owners]
    duplicates = rows != np.where(final, winners, first[contents])
    return duplicates, ~duplicates & ~final, winners


def _repeats(rows: pa.Table, contract: Contract) -> bool:
    """Tell whether a key repeats, for few rows."""
    columns = [rows[name].to_pylist() for name in contract.natural_key]
    keys = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
    return len(set(keys)) < len(keys)


def _distinct(count: int) -> Duplicates:
    none, zeros = np.zeros(count, bool), np.zeros(count, np.uint64)
    return Duplicates(none, none, (zeros, zeros))


def _first_of_each(owners: Rows, known: int) -> Mask:
    """Mark the rows that brought a new key: ordinals from ``known`` on, at their first appearance."""
    fresh = np.zeros(len(owners), bool)
    new = np.flatnonzero(owners >= known)
    _, first = np.unique(owners[new], return_index=True)
    fresh[new[first]] = True
    return fresh
