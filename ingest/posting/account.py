"""What became of a unit: the fate of each record, the account of each table, and the status of the whole."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ingest.accounts import TableReport
from ingest.models import Batch
from ingest.posting.units import Fate, Outcome, Unit
from ingest.posting.verdict import Judged
from ingest.posting.writing import Counted


def reports(
    unit: Unit, judged: Sequence[Judged], counts: Sequence[Counted] | None, *, seconds: float
) -> tuple[TableReport, ...]:
    """Account for every table; ``counts`` None: the unit was refused, and its good records rolled back.

    ``seconds`` is the unit's time, of which each table gets its share by records.
    """
    found = []
    for number, each in enumerate(judged):
        processed, compared = each.processed, each.compared
        counted = counts[number] if counts is not None else Counted(0, 0)
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
    """Give the status of a batch by its tables."""
    return _status(
        rejected=sum(table.rejected for table in tables),
        kept=sum(table.read - table.rejected for table in tables),
        refused=any(table.refused for table in tables),
    )


def _status(*, rejected: int, kept: int, refused: bool) -> str:
    if refused or (rejected and not kept):
        return Batch.Status.REJECTED
    return Batch.Status.PARTIAL if rejected else Batch.Status.ACCEPTED


def fates(
    judged: Sequence[Judged],
    *,
    refused: bool,
    rejects: Mapping[int, int] = MappingProxyType({}),
    all_of_them: bool = True,
) -> tuple[Fate, ...]:
    """Say of each record, or each rejected one, by index, what became of it; ``rejects``: their numbers, by index."""
    found = [fate for each in judged for fate in _rejected(each, rejects)]
    if all_of_them:
        found += [fate for each in judged for fate in _accepted(each, refused=refused)]
    return tuple(sorted(found, key=lambda fate: fate.index))


def _accepted(judged: Judged, *, refused: bool) -> list[Fate]:
    table, processed, compared = judged.given.source.table, judged.processed, judged.compared
    outcomes: list[tuple[int, Outcome]] = []
    for row, index in enumerate(judged.position.tolist()):
        if refused:
            outcomes.append((index, "rolled_back"))
        elif compared.new[row]:
            outcomes.append((index, "inserted"))
        else:
            outcomes.append((index, "unchanged" if compared.unchanged[row] else "updated"))
    positions = processed.records.position.to_numpy()
    outcomes += [(int(index), "duplicate") for index in positions[processed.duplicates]]
    return [Fate(index=index, table=table, outcome=outcome) for index, outcome in outcomes]


def _rejected(judged: Judged, rejects: Mapping[int, int]) -> list[Fate]:
    processed = judged.processed
    if not processed.rejected:
        return []
    positions = processed.records.position.to_numpy()
    reasons: dict[int, list[dict[str, object]]] = {}
    for reason in processed.reasons.to_pylist():
        reasons.setdefault(int(positions[reason.pop("row")]), []).append(reason)
    for found in processed.records.unreadable.to_pylist():
        told = {"field": None, "code": found["code"], "message": found["message"], "value": None, "constraint": None}
        reasons[found["position"]] = [told]
    return [
        Fate(
            index=index,
            table=judged.given.source.table,
            outcome="rejected",
            reasons=tuple(why),
            reject=rejects.get(index),
        )
        for index, why in reasons.items()
    ]
