"""The verdict on a whole unit: ``process`` on each table, then stored rows, then groups, until nothing more falls."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa
from django.db.backends.utils import CursorWrapper

from ingest.posting.groups import fallen
from ingest.posting.judged import TableVerdict
from ingest.posting.unit import TableRecords, Unit
from ingest.processing.duplicates import SeenOnce
from ingest.processing.process import process
from ingest.processing.reasons import REASON_SCHEMA, reasons
from ingest.rules.key_text import key_texts
from ingest.rules.sources import is_adopted
from ingest.tables.locked_parents import UnitParents
from ingest.tables.refusals import STORED_ALREADY
from ingest.tables.stored_rows import StoredRows, all_new

GROUP = "Another record of the group {group} was rejected, so this one was too."


class Judge:
    """Judges one unit, again and again if need be; what the database said is asked once, and only of units in doubt."""

    def __init__(self, cursor: CursorWrapper, unit: Unit) -> None:
        lock = not unit.dry_run
        self._unit = unit
        self._parents = UnitParents(cursor, lock=lock)
        self.stored = {
            table.source.table: StoredRows(
                cursor,
                table.source.contract,
                lock=lock and (unit.on_conflict == "update" or is_adopted(table.source)),  # a placeholder is updated
                fills_placeholders=is_adopted(table.source),
            )
            for table in unit.tables
        }
        self._late = REASON_SCHEMA.empty_table()
        # A unit is trusted: its keys are taken for new without asking, and its parents for stored until something in it
        # is refused. PostgreSQL itself has the word while it writes. Most units are like that.
        self._parents.trusts = self._trusts_keys = not unit.dry_run and unit.on_conflict == "reject"

    @property
    def trusts(self) -> bool:
        """Whether there is something that was not asked so far."""
        return self._trusts_keys or self._parents.trusts

    def doubt(self) -> None:
        """Ask from now on, and again for what was asked: the locks are gone with the savepoint."""
        self._parents.trusts = self._trusts_keys = False
        self.forget()

    def forget(self) -> None:
        """Ask the tables again: another batch has been faster, or the locks are gone."""
        self._parents.forget()
        for stored in self.stored.values():
            stored.forget()

    def refuse(self, late: pa.Table) -> None:
        """Take in reasons that only the database could give."""
        self._late = pa.concat_tables([self._late, late])

    def verdict(self) -> list[TableVerdict]:
        """Return the verdict on every table. Each round refuses at least one record more, so it ends."""
        while True:
            judged = self._judge()
            new_reasons = (
                [self._conflicts(verdict) for verdict in judged if verdict.compared.differs]
                if self._unit.on_conflict == "reject"
                else []
            )
            if self._unit.mode == "partial" and self._unit.groups:
                conflicts = {int(index) for table in new_reasons for index in table["position"].to_numpy()}
                new_reasons.append(self._fallen(fallen(judged, self._unit.groups, conflicts)))
            if not sum(map(len, new_reasons)):
                return judged
            self.refuse(pa.concat_tables(new_reasons))

    def _judge(self) -> list[TableVerdict]:
        self._parents.begin()
        judged: list[TableVerdict] = []
        for table in self._unit.tables:
            before = self._parents.trusts, self._trusts_keys
            judged.append(self._judge_table(table))
            if before != (self._parents.trusts, self._trusts_keys) and len(judged) > 1:
                return self._judge()  # the tables before this one were taken on trust
        return judged

    def _judge_table(self, table: TableRecords) -> TableVerdict:
        self._parents.expect(table.source.contract, table.records.columns)
        check = partial(process, table.records, table.source.contract, lookups=self._parents, known=self._late)
        processed = check(seen=SeenOnce())
        if processed.rejected:
            self._parents.trusts = False
            # Where good records may fall with the bad ones, PostgreSQL would not be asked to write them.
            self._trusts_keys &= self._unit.mode == "partial" and not self._unit.groups
            if self._parents.believed:  # one without a parent was refused, and those of the others were not looked up
                processed = check(seen=SeenOnce())
        if not self._parents.trusts:
            self._parents.remember(table.source, processed)
        rows, stored = processed.rows, self.stored[table.source.table]
        compared = all_new(len(rows)) if self._trusts_keys else stored.compare(rows)
        return TableVerdict(sent=table, processed=processed, compared=compared)

    def _conflicts(self, judged: TableVerdict) -> pa.Table:
        """Return the reasons of rows that are stored with other content."""
        contract, rows = judged.sent.source.contract, list(judged.compared.differs)
        keys = judged.processed.rows.select(contract.natural_key).take(pa.array(rows, pa.int64()))
        messages = [STORED_ALREADY.format(differs=", ".join(names)) for names in judged.compared.differs.values()]
        return reasons(
            judged.position[rows],
            field=contract.natural_key[0],
            code="unique",
            message=pa.array(messages, pa.string()),
            values=key_texts(keys, contract),
        )

    def _fallen(self, falling: Sequence[int]) -> pa.Table:
        """Return the reasons of good records that belong to a group with a bad one."""
        groups = [self._unit.groups[index] for index in falling]
        return reasons(
            np.array(falling, np.int64),
            field=None,
            code="group_rejected",
            message=pa.array([GROUP.format(group=group) for group in groups], pa.string()),
            values=pa.array(groups, pa.string()),
        )
