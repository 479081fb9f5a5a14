"""A load closes rejects whose keys it brought: the records came in good by themselves."""

from uuid import UUID

from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from ingest.loading.file_plan import FilePlan
from ingest.loading.options import LoadOptions
from ingest.posting.settle import WHY
from ingest.rules.key_text import kept_part_sql
from ingest.tables.stage import CHANGES, STAGE

# Closes the open rejects of older batches whose key was written; asks first whether there is any at all, for to write
# the key of every row costs far more.
_SUPERSEDE = """
update ingest_rejectedrecord r set status = 'superseded', closed_at = now(), closed_why = {why}
from {written}
where r.status = 'open' and r."table" = {table} and r.last_batch_id <> {batch}
    and r.natural_key = {key} and {was_written}
    and exists (select from ingest_rejectedrecord where status = 'open' and "table" = {table})
"""


def supersede(cursor: CursorWrapper, plan: FilePlan, options: LoadOptions, batch: UUID) -> None:
    """Close the rejects of ``plan``'s table that are older than this batch and whose keys it inserted or updated.

    Must run in the transaction of the file, while the rows that were staged still are.
    """
    contract = plan.source.contract
    table = sql.Identifier(contract.db_table)
    same = sql.SQL(" and ").join(sql.SQL("t.{0} = s.{0}").format(sql.Identifier(name)) for name in contract.natural_key)
    # A new row that PostgreSQL alone refused is staged too, and stored nowhere.
    staged = sql.SQL("(not c.new and {others} or c.new and exists (select from {table} t where {same}))").format(
        others=sql.SQL("true" if options.on_conflict == "update" else "c.fill"), table=table, same=same
    )
    stage = sql.SQL("{} s join {} c using (position)").format(STAGE, CHANGES)
    statement = sql.SQL(_SUPERSEDE).format(
        why=sql.Literal(WHY.format(batch=batch)),
        written=stage if plan.staged else sql.SQL("{} s").format(table),
        table=sql.Literal(contract.table),
        batch=sql.Literal(str(batch)),
        key=kept_part_sql(contract, "s"),
        was_written=staged if plan.staged else sql.SQL("true"),
    )
    cursor.execute(statement)
