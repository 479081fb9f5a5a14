"""Gathering the rejects of a job: those selected, or all that the list showed, as they are at this moment."""

from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper

from ingest.desk.search.cells import by_index
from ingest.desk.search.listing import RejectFilter, look_at_all
from ingest.models import BulkJob, RejectedRecord
from ingest.rights import viewable_tables

CHUNK_RECORDS = 1_000
OPEN = RejectedRecord.Status.OPEN.value

# Stores the chunks of a job, and tells how many rejects they hold in all. A chunk begins with a record or a group, so a
# group is never parted; it may be longer by the rest of its last one.
_STORE_CHUNKS = """
with chosen as ({}),
mine as (
    select r.id, min(r.id) over (
        partition by r.last_batch_id, r."group", case r."group" when '' then r.id end) as first
    from ingest_rejectedrecord r
    where r.id in (select id from chosen) and (r.status = 'open' or %(closed)s) and r."table" = any(%(tables)s)
),
numbered as (select id, first, row_number() over (order by first, id) - 1 as row from mine),
placed as (select id, min(row) over (partition by first) / %(size)s as place from numbered),
stored as (
    insert into ingest_bulkchunk (job_id, place, numbers, done, batches)
    select %(job)s, place, array_agg(id order by id), false, '{{}}' from placed group by place order by place
    returning cardinality(numbers) as count
)
select coalesce(sum(count), 0) from stored
"""
_SELECTED = "select unnest(%(numbers)s::bigint[]) as id"


def asked_of(job: BulkJob) -> RejectFilter:
    """Return what the job's list was narrowed to; closed rejects are never in it."""
    asked = RejectFilter(**job.asked)
    return asked if asked.status else replace(asked, status=OPEN)


def tables_of_job(job: BulkJob, user: User) -> list[str]:
    """Name the tables whose rejects the job may deal with: its recipe's, or those that its user may see."""
    tables = viewable_tables(user)
    return [name for name in tables if name == job.table] if job.table else tables


def gather(cursor: CursorWrapper, job: BulkJob, user: User) -> int:
    """Store the job's chunks; return the number of its rejects.

    Of those selected, the ones that are closed by now are among them, so that the job can say so.
    """
    tables = tables_of_job(job, user)
    selected = job.numbers is not None
    facts: dict[str, Any] = {"tables": tables, "size": CHUNK_RECORDS, "job": job.pk, "closed": selected}
    if job.numbers is not None:
        query, more = _SELECTED, {"numbers": job.numbers}
    else:
        with by_index(cursor):
            query, more = look_at_all(cursor, asked_of(job), tables).whole()
    cursor.execute(_STORE_CHUNKS.format(query), {**more, **facts})
    return int(cursor.fetchone()[0])
