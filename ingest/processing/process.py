"""THE processing module: splits records into rows that the table can hold, and reasons for the others.

    parse -> normalise -> check columns -> check rows -> references -> duplicates -> write -> account
             \\______________________________ here ______________________________/

Load, endpoint and replay all come through ``process``. It knows nothing of HTTP, files or the admin, and reaches the
database only through the look-ups passed in. All steps work on whole columns.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import ArrowColumn, Mask, Rows, indices, mask_of
from ingest.processing.adoption import may_be_added
from ingest.processing.check_records import CheckedRecords, check_records, shown
from ingest.processing.duplicates import Rounding, Seen, SeenRows
from ingest.processing.lookups import Lookups, NoParents
from ingest.processing.near_keys import ROUNDED
from ingest.processing.reasons import (
    REASON_SCHEMA,
    ROW_REASON_SCHEMA,
    SUPERSEDED_IN_BATCH,
    by_position,
    by_row,
    reasons,
)
from ingest.processing.records import Records
from ingest.processing.row_hashes import Hashes
from ingest.rules.contract import Contract
from ingest.rules.key_text import value_texts
from ingest.rules.sources import find_source

UNIQUE = "A record with this key, but other content, came earlier in the same batch."
SUPERSEDED = "A later record of the same batch has this key and counts instead: record {winner}."
NO_PARENT = "There is no such record in {table}."
PARENT_REJECTED = "The record of {table} that this one belongs to was rejected in the same batch."


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on n readable records (``records.columns``) and the unreadable ones beside them.

    ``checked``: all n as typed columns, NULL where a value was refused. ``rows``: the accepted ones, m typed rows in
    the contract's columns; ``source``: their indices (int64, m); ``hashes``: of their whole content (see
    ``duplicates.hash_rows``). ``duplicates``: indices of records equal to an earlier one of the batch; ``refused``: of
    those that have ``reasons`` (``REASON_SCHEMA``, ordered by record). Each record is in exactly one of the three.
    ``held``: of the accepted, those that the table is known to hold to the letter (mask, m), if that was asked;
    ``rounded``: indices of the records that took the digits of another (see ``near_keys``).
    ``superseded``: of the refused, those for whose key a later record counts; ``winners``: the positions of these.
    ``repairs``: values changed, by rule. ``adopted``: by reference column, keys whose parent is missing and may be
    added.
    """

    records: Records
    checked: pa.Table
    rows: pa.Table
    source: Rows
    hashes: Hashes
    held: Mask | None
    rounded: Rows
    duplicates: Rows
    refused: Rows
    superseded: Rows
    winners: Rows
    reasons: pa.Table
    repairs: dict[str, int]
    adopted: dict[str, ArrowColumn]

    @property
    def read(self) -> int:
        """Every record, also the unreadable ones."""
        return len(self.records)

    @property
    def rejected(self) -> int:
        """Records with at least one reason, and the unreadable ones."""
        return len(self.refused) + self.records.unreadable.num_rows

    def reinstated(self) -> "Verdict":
        """Return it with the superseded records among the accepted, as it is where none is written."""
        source = np.union1d(self.source, self.superseded)
        return replace(
            self,
            rows=self.checked.take(indices(source)),
            source=source,
            held=None,
            refused=np.setdiff1d(self.refused, self.superseded),
            superseded=self.superseded[:0],
            winners=self.winners[:0],
            reasons=self.reasons.filter(pc.not_equal(self.reasons["code"], SUPERSEDED_IN_BATCH)),
        )


def process(
    records: Records,
    contract: Contract,
    *,
    lookups: Lookups | None = None,
    seen: Seen | None = None,
    adopts: Sequence[str] = (),
    null_word: str = "",
    known: pa.Table | None = None,
) -> Verdict:
    """Return the verdict on ``records``, in their order.

    ``lookups`` knows the parents (default: all exist); ``seen`` carries the rows of earlier chunks of the same batch;
    ``adopts`` names reference columns whose missing parents are to be added instead of refused, unless their keys are
    the ``null_word`` of the records' text or another word for NULL, or break a rule of the parent; ``known`` are
    reasons (``REASON_SCHEMA``) that the caller has already found: their records, if they are among these, claim no key.
    """
    checked = check_records(records, contract)
    return verdict_on(checked, lookups=lookups, seen=seen, adopts=adopts, null_word=null_word, known=known)


def verdict_on(
    checked: CheckedRecords,
    *,
    lookups: Lookups | None = None,
    seen: Seen | None = None,
    adopts: Sequence[str] = (),
    null_word: str = "",
    known: pa.Table | None = None,
) -> Verdict:
    """Do the second half of ``process``: what depends on other records, and may be asked again of the same ones."""
    work = _Work(checked, [] if known is None else [by_row(known, checked.records.position)])
    work.check_references(lookups or NoParents(), adopts, null_word)  # a record without its parent claims no key either
    work.find_duplicates(seen or SeenRows())
    return work.result()


def superseded_reasons(records: Rows, winners: Rows, keys: pa.Table, *, schema: pa.Schema = REASON_SCHEMA) -> pa.Table:
    """Return the reasons of n records for whose ``keys`` (typed rows) later records count, at positions ``winners``."""
    return reasons(
        records,
        field=keys.column_names[0],
        code=SUPERSEDED_IN_BATCH,
        message=pa.array([SUPERSEDED.format(winner=winner) for winner in winners.tolist()], pa.string()),
        values=shown(keys),
        schema=schema,
    )


class _Work:
    """One verdict at work: the columns, and which records are still in."""

    def __init__(self, checked: CheckedRecords, known: Sequence[pa.Table]) -> None:
        self.records, self.contract, self.table = checked.records, checked.contract, checked.rows
        self.count = self.table.num_rows
        self.alive: Mask = np.ones(self.count, bool)
        self.found_reasons: list[pa.Table] = [ROW_REASON_SCHEMA.empty_table()]
        self.repaired = checked.repaired
        self.duplicates: Rows = np.empty(0, np.int64)
        self.superseded = self.winners = self.duplicates
        self.adopting: dict[str, Rows] = {}  # by reference column: records whose parent is to be added
        self.hashed: tuple[Rows, Hashes] = (self.duplicates, (np.empty(0, np.uint64), np.empty(0, np.uint64)))
        self.held: Mask | None = None
        self.rounded = self.duplicates
        self.refuse([*known, *checked.reasons])

    def refuse(self, blocks: Iterable[pa.Table]) -> None:
        for block in blocks:
            self.found_reasons.append(block)
            self.alive[block["row"].to_numpy()] = False

    def _refuse(self, rows: Rows, **reason: Any) -> None:
        self.refuse([reasons(rows, schema=ROW_REASON_SCHEMA, **reason)])

    def find_duplicates(self, seen: Seen) -> None:
        rows = np.flatnonzero(self.alive)
        repeated = seen.sort_out(self._rows(rows), self.contract, self.records.position.to_numpy()[rows])
        self.hashed, self.held = (rows, repeated.hashes), repeated.held
        if repeated.rounding is not None:
            self._take_digits(rows, repeated.rounding)
        self.duplicates = rows[repeated.duplicates]
        self.alive[self.duplicates] = False
        clashes = rows[repeated.clashes]
        if not len(clashes):
            return
        keys = self.table.select(self.contract.natural_key).take(indices(clashes))
        if repeated.winners is None:
            self._refuse(clashes, field=keys.column_names[0], code="unique", message=UNIQUE, values=shown(keys))
        else:
            self.superseded, self.winners = clashes, repeated.winners[repeated.clashes]
            self.refuse([superseded_reasons(clashes, self.winners, keys, schema=ROW_REASON_SCHEMA)])

    def _take_digits(self, rows: Rows, rounding: Rounding) -> None:
        """Go on with ``rows`` as they count."""
        self.rounded = rows[rounding.rounded]
        self.repaired = (*self.repaired, (ROUNDED, self.rounded))
        places = np.arange(self.count)
        places[rows] = self.count + np.arange(len(rows))
        self.table = pa.concat_tables([self.table, rounding.rows]).take(indices(places))

    def check_references(self, lookups: Lookups, adopts: Sequence[str], null_word: str) -> None:
        alive = self.alive.copy()  # all references of a record are checked, not only up to the first that fails
        for reference in self.contract.references:
            values = self.table.column(reference.column).combine_chunks()
            rows = np.flatnonzero(alive & mask_of(values.is_valid()))
            keys = values if len(rows) == self.count else values.take(indices(rows))
            parents = lookups.parents(reference, keys)
            if parents.exist.all():
                continue
            lacking = ~parents.exist
            source = find_source(reference.table) if reference.column in adopts else None
            if source is not None:
                adopted = lacking & may_be_added(keys, source.contract, null_word=null_word)
                self.adopting[reference.column] = rows[adopted]
                lacking &= ~adopted
            for code, message, missing in (
                ("parent_rejected", PARENT_REJECTED, lacking & parents.refused),
                ("does_not_exist", NO_PARENT, lacking & ~parents.refused),
            ):
                if missing.any():
                    said = message.format(table=reference.table)
                    names = value_texts(keys.filter(pa.array(missing)))  # what a reject waits for is found by it
                    self._refuse(rows[missing], field=reference.column, code=code, message=said, values=names)

    def _rows(self, rows: Rows) -> pa.Table:
        return self.table if len(rows) == self.count else self.table.take(indices(rows))

    def _adopted(self, name: str, rows: Rows) -> ArrowColumn:
        return self.table.column(name).take(indices(rows[self.alive[rows]])).combine_chunks().unique()

    def result(self) -> Verdict:
        accepted = np.flatnonzero(self.alive)
        kept = self.alive.copy()
        kept[self.duplicates] = True
        repairs: Counter[str] = Counter()
        for rule, rows in self.repaired:
            repairs[rule] += int(kept[rows].sum())
        every_reason = pa.concat_tables(self.found_reasons)
        compared, lanes = self.hashed
        picked = np.searchsorted(compared, accepted)
        return Verdict(
            records=self.records,
            checked=self.table,
            rows=self._rows(accepted),
            source=accepted,
            hashes=(lanes[0][picked], lanes[1][picked]),
            held=None if self.held is None else self.held[picked],
            rounded=self.rounded,
            duplicates=self.duplicates,
            refused=np.flatnonzero(~kept),
            superseded=self.superseded,
            winners=self.winners,
            reasons=by_position(
                every_reason.take(indices(np.argsort(every_reason["row"].to_numpy(), kind="stable"))),
                self.records.position,
            ),
            repairs={rule: count for rule, count in repairs.items() if count},
            adopted={name: self._adopted(name, rows) for name, rows in self.adopting.items() if self.alive[rows].any()},
        )
