"""Taking away what a test committed."""

from django.db import connection, transaction

from tests.support.loading.loads import all_tables

OTHERS = ("access_counter", "access_idempotencykey", "access_token", "auth_user")


def empty_tables(_: object = None) -> None:
    """Take away what loads committed: a tenth of the cost of Django's flush, which empties and refills every table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local lock_timeout = '20s'")
        cursor.execute(f"truncate {', '.join([*all_tables(), *OTHERS])} cascade")
