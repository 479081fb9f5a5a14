"""What a batch remembers of rows with floats in their key: one that is another at fifteen digits takes its digits.

To the letter first: only a row that is neither stored nor was seen is looked at so. The stored row that is meant comes
before one of the same batch; all after that is as if the row had come with those digits.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from core.arrow import Mask, Rows, bools, indices
from ingest.processing.duplicates import Duplicates, Rounding, Seen, SeenRows, hash_rows
from ingest.processing.fifteen_digits import Floats, is_short
from ingest.processing.near_keys import CloseValues, NearKeys, digits_of, watched, with_digits
from ingest.rules.contract import Contract
from ingest.tables.near_stored import NearStored
from ingest.tables.stored_hashes import StoredHashes


class SeenRounded:
    """For a file in stretches.

    Whether two of its own keys are the same is not looked up row by row: its end tells by ``close`` which floats could
    make it so. Where there are any, the file is read again with ``watch`` on these.
    """

    def __init__(
        self,
        seen: SeenRows,
        contract: Contract,
        *,
        hashes: StoredHashes | None,
        near: NearStored | None,
        watch: tuple[Floats, ...],
    ) -> None:
        """``hashes``: of the stored rows, where the table was read; ``near``: what asks it, where it has rows."""
        self._seen, self._hashes, self._near, self._watch = seen, hashes, near, watch
        self._noted, self._keys = CloseValues(), NearKeys(contract)

    def close(self) -> tuple[Floats, ...]:
        """Return the floats to be watched, by column; nothing where no two keys can be the same, or these are."""
        return () if self._watch else self._noted.find()

    def sort_out(self, rows: pa.Table, contract: Contract, position: Rows) -> Duplicates:
        """As ``Seen`` says."""
        hashed = hash_rows(rows, contract)
        held = np.zeros(len(rows), bool) if self._hashes is None else self._hashes.hold(hashed[2])
        if self._hashes is not None and held.all():
            return replace(self._seen.sort_out_hashed(rows, hashed, contract, position), held=held)
        fresh, rounding = ~held, None
        if self._near is not None or self._watch:
            digits = digits_of(rows, contract)
            self._settle(rows, digits, fresh)
            rounding = _rounding(rows, digits, contract)
        if rounding is not None:
            rows = rounding.rows
            hashed = hash_rows(rows, contract)
            held = held if self._hashes is None else self._hashes.hold(hashed[2])
        found = self._seen.sort_out_hashed(rows, hashed, contract, position)
        if not self._watch:
            self._noted.add(rows, contract, fresh & ~found.duplicates)
        return replace(found, rounding=rounding, held=None if self._hashes is None else held)

    def _settle(self, rows: pa.Table, digits: Floats, fresh: Mask) -> None:
        """Put the digits that count into ``digits``; leave of the ``fresh`` rows those that have no stored key's."""
        if self._near is not None:
            asked = np.flatnonzero(fresh)
            asked = asked if self._hashes is None else asked[self._hashes.near(digits[asked])]
            if len(asked):
                digits[asked], stored = self._near.settle(rows.take(indices(asked)))
                fresh[asked[stored]] = False
        if self._watch:
            mine = np.flatnonzero(fresh)
            mine = mine[watched(digits[mine], self._watch)]
            digits[mine] = self._keys.settle(rows.take(indices(mine)))


class UnitDigits:
    """The digits of stored keys for the rows of one table of a unit, which may be asked for again, or some of them."""

    def __init__(self, near: NearStored) -> None:
        self._near = near
        self._position = np.empty(0, np.int64)
        self._digits, self._stored = np.empty((0, 0)), np.empty(0, bool)

    def settle(self, rows: pa.Table, position: Rows) -> tuple[Floats, Mask]:
        """Return the digits that count for n rows, and which of them are those of a stored key."""
        if not np.isin(position, self._position).all():  # the first round has all that later ones have
            self._position = position
            self._digits, self._stored = self._near.settle(rows)
        places = np.searchsorted(self._position, position)
        return self._digits[places], self._stored[places]


class OnceRounded:
    """For a batch in one piece.

    A thousand look-ups would take a tenth of its time. So the table is asked only for a row whose floats all are of
    fifteen digits at most, as they are where a tool rounds, or that another of the batch may be.
    """

    def __init__(self, seen: Seen, stored: UnitDigits) -> None:
        self._seen, self._stored = seen, stored

    def sort_out(self, rows: pa.Table, contract: Contract, position: Rows) -> Duplicates:
        """As ``Seen`` says."""
        digits, noted = digits_of(rows, contract), CloseValues()
        noted.add(rows, contract, np.ones(len(rows), bool))
        close = noted.find()
        mine = watched(digits, close) if close else np.zeros(len(rows), bool)
        asked = np.flatnonzero(mine | _all_short(digits))
        if not len(asked):
            return self._seen.sort_out(rows, contract, position)
        digits[asked], stored = self._stored.settle(rows.take(indices(asked)), position[asked])
        mine[asked[stored]] = False
        if mine.any():
            digits[mine] = NearKeys(contract).settle(rows.filter(bools(mine)))
        rounding = _rounding(rows, digits, contract)
        found = self._seen.sort_out(rows if rounding is None else rounding.rows, contract, position)
        return replace(found, rounding=rounding)


def _all_short(digits: Floats) -> Mask:
    """Mark keys whose floats all are of fifteen digits at most: few, so the later columns are hardly looked at."""
    short = np.ones(len(digits), bool)
    for column in digits.T:
        short[short] = is_short(column[short])
    return short


def _rounding(rows: pa.Table, digits: Floats, contract: Contract) -> Rounding | None:
    own = digits_of(rows, contract)
    rounded = ((digits != own) & ~np.isnan(own)).any(axis=1)
    return Rounding(with_digits(rows, digits, contract), rounded) if rounded.any() else None
