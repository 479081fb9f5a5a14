"""What is known of one table of a unit once it was judged."""

from dataclasses import dataclass

import numpy as np

from core.arrow import Rows
from ingest.posting.unit import TableRecords
from ingest.processing.process import Verdict
from ingest.tables.stored_rows import StoredComparison, all_new
from ingest.tables.write_rows import TableRows, in_key_order, pick


@dataclass(frozen=True, kw_only=True)
class TableVerdict:
    """One table of a unit: what ``process`` says, and how its accepted rows compare with those stored."""

    sent: TableRecords
    processed: Verdict
    compared: StoredComparison

    @property
    def position(self) -> Rows:
        """Indices in the unit of the accepted rows."""
        return self.processed.records.position.to_numpy()[self.processed.source]

    @property
    def faulty(self) -> Rows:
        """Indices in the unit of the records that are wrong, readable or not: others may fall with them.

        All that are refused, but for those in whose place a later one counts.
        """
        records, refused = self.processed.records, self.processed.refused
        if not self.processed.rejected:
            return np.empty(0, np.int64)
        wrong = np.setdiff1d(refused, self.processed.superseded) if len(self.processed.superseded) else refused
        return np.concatenate([records.position.to_numpy()[wrong], records.unreadable["position"].to_numpy()])

    @property
    def superseded(self) -> list[tuple[int, int]]:
        """Indices in the unit of the records for whose key a later one counts, each with the index of that one."""
        records = self.processed.records.position.to_numpy()[self.processed.superseded]
        return list(zip(records.tolist(), self.processed.winners.tolist(), strict=True))

    def reinstated(self) -> "TableVerdict":
        """Return it with no record superseded: of a unit that is refused, none is written instead."""
        processed = self.processed.reinstated()
        return TableVerdict(sent=self.sent, processed=processed, compared=all_new(len(processed.rows)))

    def to_write(self) -> TableRows:
        """Return what the table lacks, in the order of the keys; rows with other content only if that is wanted."""
        contract, compared = self.sent.source.contract, self.compared
        changed = compared.placeholder.copy()
        changed[list(compared.differs)] = True
        rows, position = self.processed.rows, self.position
        new, new_position = in_key_order(pick(rows, compared.new), position[compared.new], contract)
        return TableRows(
            contract=contract,
            new=new,
            new_position=new_position,
            changed=pick(rows, changed),
            changed_position=position[changed],
        )
