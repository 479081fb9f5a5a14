"""What the tables hold before an endpoint is measured, and the way back to it after each run."""

from pathlib import Path

from django.db import connection, transaction
from psycopg2 import sql

from benchmarks import scratch

PARENTS = ("product_category_name_translation", "customers", "sellers", "products", "orders")


class StoredSample:
    """The stored rows: all of one sample, and the parents of the fresh records of another."""

    def __init__(self, whole: Path, fresh: Path) -> None:
        """Take note of the samples; nothing is loaded yet."""
        self.fresh = fresh
        self._whole = whole
        self._first_xid = 0

    def load(self) -> None:
        """Fill the tables; leave everything committed later recognisable by its transaction."""
        from ingest.loading.load import load
        from ingest.loading.options import LoadOptions

        scratch.empty_tables()
        load(str(self._whole), LoadOptions())
        load(str(self.fresh), LoadOptions(tables=PARENTS))
        with connection.cursor() as cursor:
            cursor.execute("select pg_current_xact_id()::text::bigint")
            ((self._first_xid,),) = cursor.fetchall()
        scratch.settle()

    def reset(self) -> None:
        """Take away what the last run wrote, so that each contender meets the same tables.

        No checkpoint: after one, each page that is touched goes to the WAL as a whole, which a server in use sees
        once in minutes and every contender would see with all its requests.
        """
        touched = [table for table in reversed(_tables()) if self._delete_new(table)]
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("truncate {} cascade").format(sql.SQL(", ").join(map(sql.Identifier, _logs()))))
            for table in touched:
                cursor.execute(sql.SQL("vacuum (analyze) {}").format(sql.Identifier(table)))

    def new_rows(self) -> int:
        """Count the rows that were stored since."""
        counts = []
        with connection.cursor() as cursor:
            for table in _tables():
                statement = "select count(*) from {} where xmin::text::bigint > %s"
                cursor.execute(sql.SQL(statement).format(sql.Identifier(table)), [self._first_xid])
                counts += [count for (count,) in cursor.fetchall()]
        return sum(counts)

    def _delete_new(self, table: str) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local session_replication_role = replica")  # children first: no key need be looked up
            statement = "delete from {} where xmin::text::bigint > %s"
            cursor.execute(sql.SQL(statement).format(sql.Identifier(table)), [self._first_xid])
            return int(cursor.rowcount)


def _tables() -> list[str]:
    from ingest.rules.sources import sources

    return [source.contract.db_table for source in sources()]


def _logs() -> list[str]:
    """Return the tables in which a contender keeps accounts and rejects."""
    from ingest.models import Account, Batch, RejectedRecord

    ours = [model._meta.db_table for model in (Account, Batch, RejectedRecord)]
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where tablename = 'fastapi_rejects'")
        return ours + [name for (name,) in cursor.fetchall()]
