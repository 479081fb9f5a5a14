"""THE processing module: splits records into rows that the table can hold, and reasons for the others.

    parse -> normalise -> check columns -> check rows -> duplicates -> references -> write -> account
             \\______________________________ here ______________________________/

Load, endpoint and replay all come through ``process``. It knows nothing of HTTP, files or the admin, and reaches the
database only through the look-ups passed in. All steps work on whole columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ingest.columns import check_column
from ingest.contract import Contract
from ingest.keys import KeySet, row_hashes
from ingest.readers.frame import records_from_frame
from ingest.reasons import REASON_SCHEMA, reasons
from ingest.records import Records
from ingest.references import Lookups, NoParents

type Rows = np.ndarray[Any, np.dtype[np.int64]]
type Mask = np.ndarray[Any, np.dtype[np.bool_]]

UNIQUE = "A record with this key, but other content, came earlier in the same batch."
NO_PARENT = "There is no such record in {table}."
PARENT_REJECTED = "The record of {table} that this one belongs to was rejected in the same batch."


@dataclass(frozen=True, kw_only=True)
class Processed:
    """The verdict on n readable records (``records.columns``) and the unreadable ones beside them.

    ``rows``: the accepted ones, m typed rows in the contract's columns; ``source``: their indices (int64, m).
    ``duplicates``: indices of records equal to an earlier one of the batch. ``reasons``: ``REASON_SCHEMA``, ordered by
    record; a record that is in none of the three lists does not exist. ``repairs``: values changed, by rule.
    ``adopted``: by reference column, keys whose parent is missing and may be added. ``checked``: all n records as typed
    columns, NULL where a value was refused.
    """

    records: Records
    checked: pa.Table
    rows: pa.Table
    source: Rows
    duplicates: Rows
    reasons: pa.Table
    repairs: dict[str, int]
    adopted: dict[str, pa.Array]

    @property
    def read(self) -> int:
        """Every record, also the unreadable ones."""
        return len(self.records)

    @property
    def rejected(self) -> int:
        """Records with at least one reason, and the unreadable ones."""
        return len(np.unique(self.reasons["row"].to_numpy())) + self.records.unreadable.num_rows


@dataclass
class Seen:
    """What a batch remembers of its accepted keys between chunks, so that duplicates are found across them."""

    keys: KeySet = field(default_factory=KeySet)
    content: list[tuple[Any, Any]] = field(default_factory=list)  # lanes of content hashes, in the order of the keys
    _joined: tuple[Any, Any] | None = None

    def remember(self, lanes: tuple[Any, Any]) -> None:
        """Keep the content hashes of the keys that were new."""
        self.content.append(lanes)
        self._joined = None

    def lanes(self) -> tuple[Any, Any]:
        """Give the content hashes by key ordinal."""
        if self._joined is None:
            self._joined = (
                np.concatenate([first for first, _ in self.content]),
                np.concatenate([second for _, second in self.content]),
            )
            self.content = [self._joined]
        return self._joined


def process(
    records: Records | pd.DataFrame,
    contract: Contract,
    *,
    lookups: Lookups | None = None,
    seen: Seen | None = None,
    adopts: Sequence[str] = (),
) -> Processed:
    """Give the verdict on ``records``, in their order.

    ``lookups`` knows the parents (default: all exist); ``seen`` carries the keys of earlier chunks of the same batch;
    ``adopts`` names reference columns whose missing parents are to be added instead of refused.
    """
    if isinstance(records, pd.DataFrame):
        records = records_from_frame(records, contract)
    work = _Work(records, contract)
    work.check_columns()
    work.check_rows()
    work.find_duplicates(seen if seen is not None else Seen())
    adopted = work.check_references(lookups or NoParents(), adopts)
    return work.result(adopted)


class _Work:
    """One call of ``process``: the columns and who is still in."""

    def __init__(self, records: Records, contract: Contract) -> None:
        self.records, self.contract = records, contract
        self.count = records.columns.num_rows
        self.alive = np.ones(self.count, bool)
        self.table = contract.schema.empty_table()
        self.found: list[pa.Table] = []
        self.repaired: list[tuple[str, Rows]] = []
        self.duplicates: Rows = np.empty(0, np.int64)

    def refuse(self, found: Sequence[pa.Table]) -> None:
        for block in found:
            self.found.append(block)
            self.alive[block["row"].to_numpy()] = False

    def check_columns(self) -> None:
        faults = self.records.faults
        self.refuse([pa.table([*faults.columns, pa.nulls(len(faults), pa.string())], schema=REASON_SCHEMA)])
        checked = []
        for column in self.contract.columns:
            faulty = np.zeros(self.count, bool)
            if len(faults):
                faulty[faults.filter(pa.compute.equal(faults["field"], column.name))["row"].to_numpy()] = True
            text, absent = _member(self.records, column.name)
            result = check_column(text, column, absent=absent, faulty=faulty)
            checked.append(result.values)
            self.refuse(result.reasons)
            self.repaired.extend(result.repairs)
        self.table = pa.table(checked, names=self.contract.names)

    def check_rows(self) -> None:
        for check in self.contract.row_checks:
            holds = check.holds(self.table).combine_chunks().fill_null(True)
            broken = np.flatnonzero(~holds.to_numpy(zero_copy_only=False))
            if len(broken):
                shown = pa.array([_shown(self.table, check.columns, row) for row in broken.tolist()], pa.string())
                self.refuse(
                    [
                        reasons(
                            broken,
                            field=check.columns[-1],
                            code="check",
                            message=check.message,
                            values=shown,
                            constraint=check.name,
                        )
                    ]
                )

    def find_duplicates(self, seen: Seen) -> None:
        rows = np.flatnonzero(self.alive)
        table = self.table if len(rows) == self.count else self.table.take(pa.array(rows))
        key = [column for column in self.contract.columns if column.name in self.contract.natural_key]
        rest = [column for column in self.contract.columns if column.name not in self.contract.natural_key]
        known = len(seen.keys)
        owners = seen.keys.add(row_hashes(table, key))
        fresh = _first_of_each(owners, known)
        again = np.flatnonzero(~fresh)
        if rest:
            lanes = row_hashes(table, rest)
            seen.remember((lanes[0][fresh], lanes[1][fresh]))
            if len(again):
                first, second = seen.lanes()
                owner = owners[again]
                same = (first[owner] == lanes[0][again]) & (second[owner] == lanes[1][again])
                clash = rows[again[~same]]
                self.refuse(
                    [
                        reasons(
                            clash,
                            field=self.contract.natural_key[0],
                            code="unique",
                            message=UNIQUE,
                            values=self.key_text(clash),
                        )
                    ]
                )
                again = again[same]
        self.duplicates = rows[again]
        self.alive[self.duplicates] = False

    def key_text(self, rows: Rows) -> pa.Array:
        """Write the natural keys of ``rows`` as text."""
        picked = self.table.select(self.contract.natural_key).take(pa.array(rows))
        parts = [part.cast(pa.string()).combine_chunks() for part in picked.columns]
        return pa.compute.binary_join_element_wise(*parts, " ")

    def check_references(self, lookups: Lookups, adopts: Sequence[str]) -> dict[str, pa.Array]:
        adopted: dict[str, pa.Array] = {}
        alive = self.alive.copy()  # all references of a record are checked, not only up to the first that fails
        for reference in self.contract.references:
            values = self.table.column(reference.column).combine_chunks()
            rows = np.flatnonzero(alive & values.is_valid().to_numpy(zero_copy_only=False))
            keys = values if len(rows) == self.count else values.take(pa.array(rows))
            parents = lookups.parents(reference, keys)
            if parents.exist.all():
                continue
            if reference.column in adopts:
                adopted[reference.column] = keys.filter(pa.array(~parents.exist)).unique()
                continue
            for code, message, missing in (
                ("parent_rejected", PARENT_REJECTED, ~parents.exist & parents.refused),
                ("does_not_exist", NO_PARENT, ~parents.exist & ~parents.refused),
            ):
                if missing.any():
                    wrong = {"message": message.format(table=reference.table), "values": keys.filter(pa.array(missing))}
                    self.refuse([reasons(rows[missing], field=reference.column, code=code, **wrong)])
        return adopted

    def result(self, adopted: Mapping[str, pa.Array]) -> Processed:
        accepted = np.flatnonzero(self.alive)
        kept = self.alive.copy()
        kept[self.duplicates] = True
        repairs: dict[str, int] = {}
        for rule, rows in self.repaired:
            repairs[rule] = repairs.get(rule, 0) + int(kept[rows].sum())
        found = pa.concat_tables(self.found)
        return Processed(
            records=self.records,
            checked=self.table,
            rows=self.table if len(accepted) == self.count else self.table.take(pa.array(accepted)),
            source=accepted,
            duplicates=self.duplicates,
            reasons=found.take(pa.array(np.argsort(found["row"].to_numpy(), kind="stable"))),
            repairs={rule: count for rule, count in repairs.items() if count},
            adopted=dict(adopted),
        )


def _member(records: Records, name: str) -> tuple[pa.StringArray, Mask]:
    """Give a field's n texts and the mask of the records that lack it."""
    count = records.columns.num_rows
    if name not in records.columns.column_names:
        return pa.nulls(count, pa.string()), np.ones(count, bool)
    text = records.columns.column(name).combine_chunks()
    absent = records.absent.get(name)
    return text, np.zeros(count, bool) if absent is None else absent.to_numpy(zero_copy_only=False)


def _first_of_each(owners: Rows, known: int) -> Mask:
    """Mark the records that brought a new key: ordinals from ``known`` on, at their first appearance."""
    fresh = np.zeros(len(owners), bool)
    new = np.flatnonzero(owners >= known)
    _, first = np.unique(owners[new], return_index=True)
    fresh[new[first]] = True
    return fresh


def _shown(table: pa.Table, columns: Sequence[str], row: int) -> str:
    return ", ".join(f"{name}={table.column(name)[row].as_py()}" for name in columns)
