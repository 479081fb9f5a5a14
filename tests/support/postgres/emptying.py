"""Taking away what a test committed."""

from django.db import connection, transaction

MIGRATED = ("django_migrations", "django_content_type", "auth_permission")  # what migrations fill
LITTLE_BYTES = 4 * 8192

_FILLED = """
select format('%%I', relname), pg_relation_size(oid) <= %s from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'r' and pg_relation_size(oid) > 0
and relname <> all(%s)
"""


def empty_tables(_: object = None) -> None:
    """Take away every row that was committed, but for those of the migrations.

    Few rows are deleted: to truncate a table takes new files for it and all its indexes, a twentieth of a second for
    those of a batch. Many are truncated, so that a table never stays large.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local lock_timeout = '20s'")
        cursor.execute(_FILLED, [LITTLE_BYTES, list(MIGRATED)])
        filled = cursor.fetchall()
        if large := [table for table, is_small in filled if not is_small]:
            cursor.execute(f"truncate {', '.join(large)} cascade")
        if small := [table for table, is_small in filled if is_small]:
            cursor.execute("; ".join(f"delete from {table}" for table in small))
