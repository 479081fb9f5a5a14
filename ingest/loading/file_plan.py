"""One file of a load: what is to be done with it, and what reading it came to."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from core.arrow import ArrowColumn, Rows
from ingest.loading.reject_spool import RejectSpool
from ingest.processing.check_records import CheckedRecords
from ingest.processing.fifteen_digits import Floats
from ingest.processing.near_keys import ROUNDED
from ingest.processing.process import Verdict
from ingest.processing.reasons import REASON_SCHEMA
from ingest.readers.csv.signs import Signs
from ingest.rejects.file_names import REQUEST, FileNames
from ingest.rules.sources import Source

POSITION = pa.field("position", pa.int64(), nullable=False)


def _none() -> tuple[Rows, Rows]:
    return np.empty(0, np.int64), np.empty(0, np.int64)


@dataclass(kw_only=True)
class FileResult:
    """What reading one file came to: ``accepted`` rows are good, the others counted or spooled."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    unchanged: int = 0  # accepted, but not handed on: the table holds them already
    sha256: str = ""
    size: int = 0  # bytes
    columns: tuple[str, ...] = ()  # of the header, in the file's order
    files: FileNames = REQUEST
    skipped: Counter[str] = field(default_factory=Counter)  # lines that are no records, by kind
    signs: Signs = field(default_factory=Signs)  # by which it was read, with what that came to
    refusal: str = ""  # why the file cannot be taken as it is, where that showed after its beginning
    repaired: Counter[str] = field(default_factory=Counter)
    rounded: list[Rows] = field(default_factory=list)  # positions of records that took the digits of another
    adopted: dict[str, list[ArrowColumn]] = field(default_factory=dict)  # by reference column: keys of parents to add
    rejects: RejectSpool = field(default_factory=RejectSpool)
    refused_late: list[pa.Table] = field(default_factory=list)  # accepted here, refused by PostgreSQL
    superseded: tuple[Rows, Rows] = field(default_factory=_none)  # accepted here: see ``SeenVersions.superseded``
    closed: int = 0  # rejects that are closed at once: they are no fault, and no limit counts them

    def add(self, processed: Verdict) -> None:
        """Count one chunk."""
        self.read += processed.read
        self.accepted += processed.rows.num_rows
        self.duplicates += len(processed.duplicates)
        self.repaired.update(processed.repairs)
        if len(processed.rounded):
            self.rounded.append(processed.records.position.to_numpy()[processed.rounded])
        for column, keys in processed.adopted.items():
            self.adopted.setdefault(column, []).append(keys)

    def take_back(self, checked: CheckedRecords) -> None:
        """Count records, accepted before, as such no more: they are rejects after all."""
        self.accepted -= len(checked.rows)
        for rule, rows in checked.repaired:
            self.repaired[rule] -= len(rows)
        position = checked.records.position.to_numpy()
        self.repaired[ROUNDED] -= sum(int(np.isin(position, rounded).sum()) for rounded in self.rounded)


@dataclass(frozen=True)
class FilePlan:
    """One file to read. ``staged``: rows go to a staging table, with the positions of their records.

    ``signs``: by what its text is read. ``known``: reasons (``REASON_SCHEMA``) that were found when the file was read
    before; ``watch``: see ``CloseKeys``.
    """

    source: Source
    staged: bool
    signs: Signs = field(default_factory=Signs)
    known: pa.Table = field(default_factory=REASON_SCHEMA.empty_table)
    watch: tuple[Floats, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The schema of the rows as they are handed on."""
        schema = self.source.contract.schema
        return schema.append(POSITION) if self.staged else schema
