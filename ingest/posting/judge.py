"""The two verdicts on a whole unit, in the savepoint that writes it: its end lets go of their locks.

Both begin with records that were checked by themselves. ``optimistic`` takes for granted what PostgreSQL's constraints
will tell while it writes: most units are written at once. ``asked`` looks up parents and stored rows, locks them, and
judges until nothing more falls.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from django.db.backends.utils import CursorWrapper

from ingest.posting.groups import fallen
from ingest.posting.judged import TableVerdict
from ingest.posting.unit import Unit
from ingest.processing.check_records import CheckedRecords, check_records
from ingest.processing.duplicates import LastOnce, Seen, SeenOnce
from ingest.processing.lookups import NoParents
from ingest.processing.near_keys import key_floats
from ingest.processing.process import Verdict, verdict_on
from ingest.processing.reasons import REASON_SCHEMA, reasons
from ingest.rules.key_text import key_texts
from ingest.rules.sources import is_adopted
from ingest.tables.locked_parents import StoredParents, UnitParents
from ingest.tables.near_stored import NearStored
from ingest.tables.refusals import STORED_ALREADY
from ingest.tables.seen_rounded import OnceRounded, UnitDigits
from ingest.tables.stored_rows import NewKeys, StoredRows

GROUP = "Another record of the group {group} was rejected, so this one was too."


def check_unit(unit: Unit) -> list[CheckedRecords]:
    """Check the records of each table by themselves: what both verdicts begin with, however often they are given."""
    return [check_records(table.records, table.source.contract) for table in unit.tables]


def optimistic(cursor: CursorWrapper, unit: Unit, checked: Sequence[CheckedRecords]) -> list[TableVerdict] | None:
    """Return the verdict on every table with all keys taken for new, and parents for stored while none is refused.

    Where one is, parents are looked up: a record without its own is to be told from a bad one. None where good records
    may fall with bad ones, which PostgreSQL would then not be asked to write.
    """
    keys, digits = [NewKeys() for _ in unit.tables], _stored_digits(cursor, unit)
    nothing = REASON_SCHEMA.empty_table()
    if not any(records.reasons or len(records.records.unreadable) for records in checked):
        judged = _round(unit, checked, nothing, None, keys, digits)
        if not any(verdict.processed.rejected for verdict in judged):
            return judged
    if unit.mode == "atomic" or unit.groups:
        return None
    return _round(unit, checked, nothing, StoredParents(cursor, lock=True), keys, digits)


def asked(cursor: CursorWrapper, unit: Unit, checked: Sequence[CheckedRecords], known: pa.Table) -> list[TableVerdict]:
    """Return the verdict on every table by what is stored, whose rows are locked; ``known``: reasons found before.

    Each round refuses at least one record more, so it ends.
    """
    parents, stored = StoredParents(cursor, lock=not unit.dry_run), stored_rows(cursor, unit)
    digits = _stored_digits(cursor, unit)
    while True:
        judged = _round(unit, checked, known, parents, stored, digits)
        more = [_conflicts(verdict) for verdict in judged if verdict.compared.differs and unit.on_conflict == "reject"]
        if unit.mode == "partial" and unit.groups:
            conflicts = {int(index) for table in more for index in table["position"].to_numpy()}
            more.append(_fallen(unit, fallen(judged, unit.groups, conflicts)))
        if not sum(map(len, more)):
            return judged
        known = pa.concat_tables([known, *more])


def stored_rows(cursor: CursorWrapper, unit: Unit) -> list[StoredRows]:
    """Return what looks up the stored rows of each table of the unit."""
    return [
        StoredRows(
            cursor,
            table.source.contract,
            lock=not unit.dry_run and (unit.on_conflict == "update" or is_adopted(table.source)),
            fills_placeholders=is_adopted(table.source),  # by an update
        )
        for table in unit.tables
    ]


def _stored_digits(cursor: CursorWrapper, unit: Unit) -> list[UnitDigits | None]:
    """Return what knows the digits of stored keys, for each table whose key has floats."""
    contracts = [table.source.contract for table in unit.tables]
    return [UnitDigits(NearStored(cursor, contract)) if key_floats(contract) else None for contract in contracts]


def _round(
    unit: Unit,
    checked: Sequence[CheckedRecords],
    known: pa.Table,
    parents: StoredParents | None,
    stored: Sequence[StoredRows | NewKeys],
    digits: Sequence[UnitDigits | None],
) -> list[TableVerdict]:
    """Judge each table once, parents first; ``parents`` None: every parent is taken for granted."""
    before: dict[str, Verdict] = {}
    judged = []
    for table, records, rows, known_digits in zip(unit.tables, checked, stored, digits, strict=True):
        lookups = NoParents() if parents is None else UnitParents(parents, before)
        seen: Seen = LastOnce() if unit.on_conflict == "update" else SeenOnce()
        if known_digits is not None:
            seen = OnceRounded(seen, known_digits)
        processed = verdict_on(records, lookups=lookups, seen=seen, known=known)
        before[table.source.table] = processed
        judged.append(TableVerdict(sent=table, processed=processed, compared=rows.compare(processed.rows)))
    return judged


def _conflicts(judged: TableVerdict) -> pa.Table:
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


def _fallen(unit: Unit, falling: Sequence[int]) -> pa.Table:
    """Return the reasons of good records that belong to a group with a bad one."""
    groups = [unit.groups[index] for index in falling]
    return reasons(
        np.array(falling, np.int64),
        field=None,
        code="group_rejected",
        message=pa.array([GROUP.format(group=group) for group in groups], pa.string()),
        values=pa.array(groups, pa.string()),
    )
