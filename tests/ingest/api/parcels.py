"""Batches for tests of clients that get into each other's way."""

from collections.abc import Iterable
from typing import Any

from ingest.models import OUTCOMES, Account
from tests.ingest.api.client import Json
from tests.olist.loads import BY_NAME, PLAIN, query


def record(table: str, **changes: Any) -> Json:
    """Give a good record of a table, changed in so many ways."""
    return {**PLAIN[table], **changes}


def tagged(table: str, *, group: str | None = None, **changes: Any) -> Json:
    """Give a record that names its table."""
    named = {} if group is None else {"group": group}
    return {"table": table, **named, "data": record(table, **changes)}


def one_table(table: str, records: Iterable[Json], **options: Any) -> Json:
    """Give a batch of one table."""
    return {"table": table, "records": list(records), **options}


def stored(table: str) -> int:
    """Count the rows of a table."""
    return int(query(f"select count(*) from olist_{table}")[0][0])


def assert_accounts_exact() -> None:
    """Assert that each account adds up, and that all together say how many rows each table has."""
    inserted = dict.fromkeys(BY_NAME, 0)
    for account in Account.objects.all():
        assert account.read == sum(getattr(account, outcome) for outcome in OUTCOMES)
        inserted[account.table] += account.inserted
    assert inserted == {table: stored(table) for table in BY_NAME}
