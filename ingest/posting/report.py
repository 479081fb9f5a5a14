"""The account of each table of a unit, and the status of the whole."""

from collections.abc import Sequence

from ingest.accounts.report import TableReport
from ingest.models import Batch
from ingest.posting.judged import TableVerdict
from ingest.posting.unit import Unit
from ingest.tables.write_rows import RowCounts


def reports(
    unit: Unit, judged: Sequence[TableVerdict], counts: Sequence[RowCounts] | None, *, seconds: float
) -> tuple[TableReport, ...]:
    """Account for every table; ``counts`` None: the unit was refused, and its good records rolled back.

    ``seconds`` is the unit's time, of which each table gets its share by records.
    """
    found = []
    for number, each in enumerate(judged):
        processed, compared = each.processed, each.compared
        counted = counts[number] if counts is not None else RowCounts(0, 0)
        accepted = len(processed.rows)
        rejected = len(each.refused)
        found.append(
            TableReport(
                table=each.given.source.table,
                status=_status(rejected=rejected, kept=processed.read - rejected, refused=counts is None),
                read=processed.read,
                inserted=counted.inserted,
                updated=counted.updated,
                unchanged=int(compared.unchanged.sum()) if counts is not None else 0,
                duplicates=len(processed.duplicates),
                rejected=rejected,
                rolled_back=0 if counts is not None else accepted,
                repaired=processed.repairs,
                seconds=seconds * processed.read / max(len(unit), 1),
                refused=counts is None,
            )
        )
    return tuple(found)


def status_of(tables: Sequence[TableReport]) -> str:
    """Return the status of a batch by its tables."""
    return _status(
        rejected=sum(table.rejected for table in tables),
        kept=sum(table.read - table.rejected for table in tables),
        refused=any(table.refused for table in tables),
    )


def _status(*, rejected: int, kept: int, refused: bool) -> str:
    if refused or (rejected and not kept):
        return Batch.Status.REJECTED
    return Batch.Status.PARTIAL if rejected else Batch.Status.ACCEPTED
