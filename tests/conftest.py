"""What more than one room's tests need: a database in which work commits."""

from collections.abc import Iterator
from unittest import mock

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

from tests.olist.loads import all_tables

OTHERS = ("access_counter", "access_token", "auth_user")


def empty_tables(_: object = None) -> None:
    """Take away what loads committed: a tenth of the cost of Django's flush, which empties and refills every table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local lock_timeout = '20s'")
        cursor.execute(f"truncate {', '.join([*all_tables(), *OTHERS])} cascade")


@pytest.fixture
def cheap_flush() -> Iterator[None]:
    """Set up before ``transactional_db``, so that it outlives it."""
    with mock.patch.object(TransactionTestCase, "_fixture_teardown", empty_tables):
        yield


@pytest.fixture
def committed(cheap_flush: None, transactional_db: None) -> None:
    """Let the test commit, as a load does, and begin and end with empty tables."""
