"""What an administrator may set for a user or a database, which a program is not asked about."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connection
from psycopg2 import sql

from tests.support.loading.loads import query

BY_DATABASE = "alter database {database}"
BY_USER = "alter role {user} in database {database}"  # in it alone: other tests' sessions have the same user
UNFRIENDLY = {
    "extra_float_digits": "-15",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Pacific/Kiritimati",
    "bytea_output": "escape",
    "client_encoding": "LATIN1",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "default_transaction_isolation": "serializable",
    "exit_on_error": "on",
    "gin_fuzzy_search_limit": "1",
    "quote_all_identifiers": "on",
    "row_security": "off",
    "lc_numeric": "C",
    "enable_seqscan": "off",
    "synchronous_commit": "off",
}


@contextmanager
def set_by(subject: str, settings: Mapping[str, str]) -> Iterator[None]:
    """Set ``settings`` by ``BY_DATABASE`` or ``BY_USER``, for the sessions that begin in the block and no others."""
    ((database, user),) = query("select current_database(), session_user")
    altered = sql.SQL(subject).format(database=sql.Identifier(database), user=sql.Identifier(user))
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute(sql.SQL("{} set {} = {}").format(altered, sql.SQL(name), sql.Literal(value)))
    connection.close()
    try:
        yield
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("set default_transaction_read_only = off; set statement_timeout = 0")
            for name in settings:
                cursor.execute(sql.SQL("{} reset {}").format(altered, sql.SQL(name)))
        connection.close()
