"""Tables in which something goes wrong that no model foresees."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.loading.loads import query


@contextmanager
def sabotage(table: str, body: str) -> Iterator[None]:
    """Run PL/pgSQL before every statement that inserts into ``table``."""
    query(f"create function sabotage() returns trigger language plpgsql as $$ begin {body} return null; end $$")
    query(f"create trigger sabotage before insert on {table} execute function sabotage()")
    try:
        yield
    finally:
        query("drop function sabotage cascade")


@contextmanager
def rule_by_hand(table: str, rule: str) -> Iterator[None]:
    """Add a constraint to a table of the dataset that no model knows."""
    query(f"alter table olist_{table} add constraint by_hand {rule}")
    try:
        yield
    finally:
        query(f"alter table olist_{table} drop constraint by_hand")
