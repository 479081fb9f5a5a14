"""A cursor in a transaction that is rolled back, and a second session for what only two can show."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper


@pytest.fixture
def cursor(db: None) -> Iterator[CursorWrapper]:
    with connection.cursor() as opened:
        yield opened


@pytest.fixture
def other(db: None) -> Iterator[BaseDatabaseWrapper]:
    """Another session of the same database, outside any transaction: it sees, and leaves, only what is committed."""
    session = connection.copy()
    yield session
    session.close()
