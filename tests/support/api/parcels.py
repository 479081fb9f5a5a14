"""Records and batches to post, and what the database has of them."""

import random
from typing import Any

from ingest.models import OUTCOMES, Account
from tests.support.api.client import Json
from tests.support.loading.loads import BY_NAME, PLAIN, hex_id, query


def record(table: str, **changes: Any) -> Json:
    """Return a good record of a table, changed in so many ways."""
    return {**PLAIN[table], **changes}


def tagged(table: str, *, ref: str | None = None, group: str | None = None, **changes: Any) -> Json:
    """Return a record that names its table."""
    names = {name: value for name, value in (("ref", ref), ("group", group)) if value is not None}
    return {"table": table, **names, "data": record(table, **changes)}


def order_with_parts(number: int = 1, **names: Any) -> list[Json]:
    """Return an order with all that belongs to it, children first."""
    key = hex_id(number)
    return [
        tagged("order_reviews", order_id=key, review_id=key, **names),
        tagged("order_payments", order_id=key, **names),
        tagged("order_items", order_id=key, product_id=key, seller_id=key, **names),
        tagged("orders", order_id=key, customer_id=key, **names),
        tagged("products", product_id=key, product_category_name=None, **names),
        tagged("sellers", seller_id=key, **names),
        tagged("customers", customer_id=key, **names),
    ]


def one_table(table: str, *records: Json, **options: Any) -> Json:
    """Return a batch of one table."""
    return {"table": table, "records": list(records), **options}


def mixed_batch(dice: random.Random, *, orders: int, size: int) -> Json:
    """Return some of ``orders`` orders with parts and shared parents, some with content of their own, in any order."""
    records: list[Json] = []
    for number in dice.sample(range(orders), size):
        key, parent = hex_id(number), hex_id(number % 7)
        city = dice.choice(["rio", "rio", "rio", "santos"])
        records += [
            tagged("orders", order_id=key, customer_id=parent),
            tagged("order_payments", order_id=key),
            tagged("order_items", order_id=key, product_id=parent, seller_id=parent),
            tagged("customers", customer_id=parent, customer_city=city),
            tagged("sellers", seller_id=parent, seller_city=city),
            tagged("products", product_id=parent, product_category_name=None),
        ]
    dice.shuffle(records)
    return {"records": records, "on_conflict": dice.choice(["reject", "update"]), "results": "all"}


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
