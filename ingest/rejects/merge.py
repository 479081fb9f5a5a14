"""Rejects that are stored already: seen once more, or renewed by a replay. From a stage, a table of the session."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pyarrow as pa
from django.db.backends.utils import CursorWrapper

from core.postgres.copy_in import copy_in
from core.version import __version__
from ingest.processing.reasons import SUPERSEDED_IN_BATCH
from ingest.readers.csv.signs import Signs
from ingest.rejects.describe import REJECT_SCHEMA
from ingest.rejects.file_names import REQUEST, FileNames
from ingest.rules.contract import Contract

_ANALYSED_FROM = 5_000  # rows; below, the planner's guess serves, and asking costs more than it saves


@dataclass(frozen=True, kw_only=True)
class RejectOrigin:
    """Where a stretch of rejects comes from. ``columns``: the header of CSV; ``signs``: by what its text was read;
    ``atomic``: they are for reading."""

    batch: UUID
    contract: Contract
    now: datetime
    files: FileNames = REQUEST
    columns: Sequence[str] = ()
    signs: Signs = field(default_factory=Signs)
    atomic: bool = False

    @property
    def reading(self) -> str:
        """What says, with their bytes, which records they are: 16 hexadecimal digits for the header and the signs;
        empty for the table's own columns in their order, without signs."""
        header = "" if tuple(self.columns) == self.contract.names else ",".join(self.columns)
        meaning = self.signs.meaning
        text = f"{header}\n{meaning}" if meaning else header
        return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


_STAGE_COLUMNS = """position bigint, line bigint, raw bytea, record jsonb, natural_key text, reasons jsonb,
    codes text[], fields text[], stage text, waits_for text[], ref text, "group" text"""
# Named for its columns: behind a pooler, a session and the stage in it outlast the version of the program.
_STAGE = f"reject_stage_{zlib.crc32(_STAGE_COLUMNS.encode()):08x}"
# A connection makes the stage once, and each commit empties it; TRUNCATE does for a second use within one transaction.
_STAGE_DDL = f"""
create temporary table if not exists {_STAGE} ({_STAGE_COLUMNS}) on commit delete rows;
truncate {_STAGE}
"""
# An open reject of a group stays one of it, and one that can be replayed stays so, when the same record comes again
# alone or in an atomic batch: it is replayed as the records of that batch that it stands or falls with.
_KEEPS = """(r.status = 'open' and (r."group" <> '' and excluded."group" = '' or %(atomic)s and not exists (
            select from ingest_batch b where b.id = r.last_batch_id and b.options ->> 'mode' = 'atomic')))"""
# One for whose key a later record of the same batch counts is closed at once: there is nothing to repair or to replay.
_SUPERSEDED = f"(codes = array['{SUPERSEDED_IN_BATCH}'])"
# An open reject takes the new reasons. So does one closed since a later record counted, when the same record is then
# refused for a reason of its own: nobody has seen that yet, and to be superseded was no fault that was dealt with.
_RENEWS = f"""(r.status = 'open' or r.status = 'superseded' and {_SUPERSEDED.replace("codes", "r.codes")}
            and excluded.status = 'open')"""
SUPERSEDED_WHY = "A later record of the same batch has this key, and counts instead."
# Stores each staged raw record once, or counts it as seen once more; other closed rejects keep their reasons. In the
# order of the hash, so that two batches with the same bad records cannot lock each other out. Returns for every staged
# position the number under which its record is kept.
_MERGE = (
    """
with staged as (select *, sha256(raw) as sha from {stage}),
distinct_ones as (
    select distinct on (sha) *, count(*) over (partition by sha) as times from staged
    order by sha, {superseded}, "group" = '', position
),
stored as (
    insert into ingest_rejectedrecord as r ("table", raw, record, natural_key, reasons, codes, fields, stage, batch_id,
        file_name, position, line, waits_for, ref, "group", contract_version, app_version, times_seen,
        first_seen_at, last_seen_at, last_batch_id, status, closed_at, closed_why, attempts, reading)
    select %(table)s, raw, record, natural_key, reasons, codes, fields, stage, %(batch)s,
        (%(files)s::text[])[1 + width_bucket(position, %(later)s::bigint[])], position, line,
        waits_for, ref, "group", %(contract)s, %(app)s, times, %(now)s, %(now)s,
        %(batch)s, case when {superseded} then 'superseded' else 'open' end,
        case when {superseded} then %(now)s::timestamptz end, case when {superseded} then %(why)s else '' end,
        0, %(reading)s
    from distinct_ones order by sha
    on conflict ("table", raw_sha256, reading) do update set
        times_seen = r.times_seen + excluded.times_seen,
        last_seen_at = excluded.last_seen_at,
        last_batch_id = case when {keeps} then r.last_batch_id else excluded.last_batch_id end,
        reasons = case when {renews} then excluded.reasons else r.reasons end,
        codes = case when {renews} then excluded.codes else r.codes end,
        fields = case when {renews} then excluded.fields else r.fields end,
        stage = case when {renews} then excluded.stage else r.stage end,
        waits_for = case when {renews} then excluded.waits_for else r.waits_for end,
        ref = case when {renews} then excluded.ref else r.ref end,
        "group" = case when {renews} and not {keeps} then excluded."group" else r."group" end,
        contract_version = case when {renews} then excluded.contract_version else r.contract_version end,
        status = case when {renews} then excluded.status else r.status end,
        closed_at = case when {renews} then excluded.closed_at else r.closed_at end,
        closed_why = case when {renews} then excluded.closed_why else r.closed_why end
    returning id, raw_sha256
)
select staged.position, stored.id from staged join stored on stored.raw_sha256 = staged.sha
""".replace("{keeps}", _KEEPS)
    .replace("{renews}", _RENEWS)
    .replace("{stage}", _STAGE)
    .replace("{superseded}", _SUPERSEDED)
)
# Gives rejects that were replayed in vain, and are still open, their new reasons; closes those superseded meanwhile.
_RENEW = """
update ingest_rejectedrecord as r set
    reasons = s.reasons, codes = s.codes, fields = s.fields, stage = s.stage, waits_for = s.waits_for,
    contract_version = %(contract)s, last_batch_id = %(batch)s, last_seen_at = %(now)s, attempts = r.attempts + 1,
    status = case when s.{superseded} then 'superseded' else 'open' end,
    closed_at = case when s.{superseded} then %(now)s::timestamptz end,
    closed_why = case when s.{superseded} then %(why)s else '' end
from {stage} s join unnest(%(positions)s::bigint[], %(numbers)s::bigint[]) as n (position, id) using (position)
where r.id = n.id and r.status = 'open'
""".replace("{stage}", _STAGE).replace("s.{superseded}", _SUPERSEDED.replace("codes", "s.codes"))


def merge_rejects(cursor: CursorWrapper, rejects: pa.Table, origin: RejectOrigin) -> dict[int, int]:
    """Store ``rejects`` whether or not they are stored already; return their numbers by position."""
    _stage(cursor, rejects)
    cursor.execute(_MERGE, _facts(origin))
    return dict(cursor.fetchall())


def renew(cursor: CursorWrapper, rejects: pa.Table, numbers: Mapping[int, int], origin: RejectOrigin) -> int:
    """Store new reasons for the rejects of ``numbers`` (by position) that are open; return the server's count."""
    _stage(cursor, rejects)
    pairs = {"positions": list(numbers), "numbers": list(numbers.values())}
    cursor.execute(_RENEW, _facts(origin) | pairs)
    return int(cursor.rowcount)


def _facts(origin: RejectOrigin) -> dict[str, Any]:
    return {
        "table": origin.contract.table,
        "batch": origin.batch,
        "files": list(origin.files.names),
        "later": list(origin.files.later),
        "contract": origin.contract.version,
        "app": __version__,
        "now": origin.now,
        "atomic": origin.atomic,
        "reading": origin.reading,
        "why": SUPERSEDED_WHY,
    }


def _stage(cursor: CursorWrapper, rejects: pa.Table) -> None:
    """Fill the stage with ``rejects``; a connection makes it once, and each commit empties it."""
    cursor.execute(_STAGE_DDL)
    count = copy_in(cursor, _STAGE, [rejects], schema=REJECT_SCHEMA)
    if count > _ANALYSED_FROM:
        # The planner needs the number of rows; to look into JSON and arrays too would cost a third of storing them.
        cursor.execute(f"analyze {_STAGE} (position)")
