"""What became of a unit: its batch and account, and the fate of each record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa

from core.arrow import Rows
from ingest.accounts.report import TableReport
from ingest.models import Batch
from ingest.posting.judged import TableVerdict
from ingest.processing.reasons import SUPERSEDED_IN_BATCH, reasons

type Outcome = Literal["inserted", "updated", "unchanged", "duplicate", "rejected", "rolled_back"]


@dataclass(frozen=True, kw_only=True)
class RecordOutcome:
    """What became of one record. ``reasons`` have field, code, message, value and, for some, constraint."""

    index: int
    table: str
    outcome: Outcome
    reasons: tuple[dict[str, Any], ...] = ()
    reject: int | None = None  # the number of its reject; None in a dry run

    @property
    def closed(self) -> bool:
        """Whether nothing is left to be done about it: it is in, or a later record counts instead."""
        return self.outcome != "rejected" or self.reasons[0]["code"] == SUPERSEDED_IN_BATCH


@dataclass(frozen=True, kw_only=True)
class UnitResult:
    """A unit that was dealt with: its batch (None in a dry run), the account, and the verdict on each table.

    ``refused``: as a whole, and what was good in it was rolled back. ``rejects``: their numbers, by index in the unit.
    ``awaited``: parents (``table/key``) that came with it and that orphans may wait for.
    """

    batch: Batch | None
    status: str
    tables: tuple[TableReport, ...]
    judged: tuple[TableVerdict, ...]
    refused: bool
    rejects: Mapping[int, int] = field(default_factory=dict)
    awaited: tuple[str, ...] = ()

    def total(self, name: str) -> int:
        """Sum one count of the account over all tables."""
        return sum(getattr(table, name) for table in self.tables)

    def accepted(self, judged: TableVerdict) -> Iterator[tuple[Outcome, Rows]]:
        """Yield the indices of the records that were not rejected, by what became of them."""
        compared, position = judged.compared, judged.position
        if self.refused:
            yield "rolled_back", position
        else:
            yield "inserted", position[compared.new]
            yield "unchanged", position[compared.unchanged]
            yield "updated", position[~compared.new & ~compared.unchanged]
        yield "duplicate", judged.processed.records.position.to_numpy()[judged.processed.duplicates]

    @cached_property
    def fates(self) -> tuple[RecordOutcome, ...]:
        """The fate of each record, by index."""
        fates = [fate for verdict in self.judged for fate in self._rejected(verdict)]
        for verdict in self.judged:
            table = verdict.sent.source.table
            fates += [
                RecordOutcome(index=index, table=table, outcome=outcome)
                for outcome, indices in self.accepted(verdict)
                for index in indices.tolist()
            ]
        return tuple(sorted(fates, key=lambda fate: fate.index))

    def _rejected(self, judged: TableVerdict) -> Iterator[RecordOutcome]:
        reasons: dict[int, list[dict[str, Any]]] = {}
        for reason in why(judged).to_pylist():
            reasons.setdefault(reason.pop("position"), []).append(reason)
        for index, told in reasons.items():
            yield RecordOutcome(
                index=index,
                table=judged.sent.source.table,
                outcome="rejected",
                reasons=tuple(told),
                reject=self.rejects.get(index),
            )


def why(judged: TableVerdict) -> pa.Table:
    """Return the reasons of each refused record of a table (``REASON_SCHEMA``), those of one record side by side."""
    readable, unreadable = judged.processed.reasons, judged.processed.records.unreadable
    if not len(unreadable):
        return readable
    others = reasons(unreadable["position"], field=None, code=unreadable["code"], message=unreadable["message"])
    return pa.concat_tables([readable, others])
