"""Each rule is a constraint of the database: a direct INSERT of a bad row fails, whoever sends it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql
from psycopg2.extensions import AsIs

from ingest.rules.sources import sources

ID, OTHER, TIME = "0123456789abcdef" * 2, "f" * 32, "2018-01-02 10:00:00"
GOOD: dict[str, dict[str, Any]] = {
    "product_category_name_translation": {
        "product_category_name": "beleza_saude",
        "product_category_name_english": "health_beauty",
    },
    "geolocation": {
        "geolocation_zip_code_prefix": "01037",
        "geolocation_lat": -23.5,
        "geolocation_lng": -46.6,
        "geolocation_city": "são paulo",
        "geolocation_state": "SP",
    },
    "customers": {
        "customer_id": ID,
        "customer_unique_id": ID,
        "customer_zip_code_prefix": "01037",
        "customer_city": "são paulo",
        "customer_state": "SP",
    },
    "sellers": {"seller_id": ID, "seller_zip_code_prefix": "01037", "seller_city": "são paulo", "seller_state": "SP"},
    "products": {
        "product_id": ID,
        "product_category_name": "beleza_saude",
        "product_name_lenght": 40,
        "product_description_lenght": 287,
        "product_photos_qty": 1,
        "product_weight_g": 225,
        "product_length_cm": 16,
        "product_height_cm": 10,
        "product_width_cm": 14,
    },
    "orders": {
        "order_id": ID,
        "customer_id": ID,
        "order_status": "delivered",
        "order_purchase_timestamp": TIME,
        "order_approved_at": TIME,
        "order_delivered_carrier_date": TIME,
        "order_delivered_customer_date": TIME,
        "order_estimated_delivery_date": TIME,
    },
    "order_items": {
        "order_id": ID,
        "order_item_id": 1,
        "product_id": ID,
        "seller_id": ID,
        "shipping_limit_date": TIME,
        "price": AsIs("58.90"),
        "freight_value": AsIs("0"),
    },
    "order_payments": {
        "order_id": ID,
        "payment_sequential": 1,
        "payment_type": "not_defined",
        "payment_installments": 0,
        "payment_value": AsIs("0.00"),
    },
    "order_reviews": {
        "review_id": ID,
        "order_id": ID,
        "review_score": 5,
        "review_comment_title": "  bom\n",
        "review_comment_message": "chegou\r\nantes \U0001f600",
        "review_creation_date": TIME,
        "review_answer_timestamp": TIME,
    },
}
FULL_WIDTH = "\uff11\uff12\uff13\uff14\uff15"  # 12345 to Python's \\d
BAD_ID = ["", "0" * 31, "0" * 33, "0" * 31 + "g", ID.upper(), ID[:31] + "\n", " " + ID[1:], "é" * 16]
BAD_ZIP = ["", "1037", "010377", "0103a", "0103\n", FULL_WIDTH, " 1037"]
BAD_LINE = [
    "",
    " ",
    " vila",
    "vila ",
    "vila\u00a0",
    "\u2028vila",
    "vi\nla",
    "vi\x01la",
    "vi\x85la",
    "a\u0303",
    "a" * 101,
]
BAD_STATE = ["", "sp", "XX", "S ", "São Paulo"]  # PostgreSQL itself cuts the space from "SP "
BAD_TIME = [AsIs(f"'{text}'::timestamp") for text in ("infinity", "-infinity", "10000-01-01", "0001-12-31 BC")]
BAD_MONEY = [AsIs(text) for text in ("-0.01", "100000000", "'NaN'::numeric", "'Infinity'::numeric")]
BAD_LATITUDE = [AsIs(f"'{text}'::float8") for text in ("NaN", "Infinity", "-Infinity", "90.00000000000001", "-91")]
BAD_LONGITUDE = [AsIs(f"'{text}'::float8") for text in ("NaN", "Infinity", "-Infinity", "180.1", "-180.1")]
BELOW_ZERO = [-1, 2**31]
BAD_PROSE = ["", "a\u0303"]

BAD_VALUES: dict[str, list[Any]] = {
    "product_category_name": BAD_LINE,
    "product_category_name_english": BAD_LINE,
    **dict.fromkeys(("order_id", "customer_id", "product_id", "seller_id", "review_id", "customer_unique_id"), BAD_ID),
    **{f"{table}_zip_code_prefix": BAD_ZIP for table in ("geolocation", "customer", "seller")},
    **{f"{table}_city": BAD_LINE for table in ("geolocation", "customer", "seller")},
    **{f"{table}_state": BAD_STATE for table in ("geolocation", "customer", "seller")},
    "geolocation_lat": BAD_LATITUDE,
    "geolocation_lng": BAD_LONGITUDE,
    **{name: BELOW_ZERO for name in GOOD["products"] if name not in ("product_id", "product_category_name")},
    "order_status": ["", "Delivered", "teleported", "delivered "],
    **{name: BAD_TIME for rows in GOOD.values() for name, value in rows.items() if value == TIME},
    "order_item_id": [0, -1, 2**31],
    **dict.fromkeys(("price", "freight_value", "payment_value"), BAD_MONEY),
    "payment_sequential": [0, -1, 2**31],
    "payment_type": ["", "pix", "Boleto"],
    "payment_installments": BELOW_ZERO,
    "review_score": [0, 6, -1, 2**31],
    "review_comment_title": [*BAD_PROSE, "a" * 201],
    "review_comment_message": [*BAD_PROSE, "a" * 5001],
}
NULLABLE = {
    "product_category_name_translation": {"product_category_name_english"},
    "products": set(GOOD["products"]) - {"product_id"},
    "orders": {"order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date"},
    "order_reviews": {"review_comment_title", "review_comment_message"},
}
CASES = [
    pytest.param(table, name, value, id=f"{table}-{name}-{ascii(getattr(value, 'adapted', value))[:24]}-{number}")
    for table, row in GOOD.items()
    for name in row
    for number, value in enumerate([*BAD_VALUES[name], *([] if name in NULLABLE.get(table, ()) else [None])])
]
EARLIER = "2018-01-02 09:59:59.999999"
BETWEEN_COLUMNS = [
    ("orders", "order_approved_at", EARLIER, "olist_orders_approved_after_purchase"),
    ("orders", "order_delivered_customer_date", EARLIER, "olist_orders_delivered_after_purchase"),
    ("orders", "order_estimated_delivery_date", EARLIER, "olist_orders_estimated_after_purchase"),
    ("order_reviews", "review_answer_timestamp", EARLIER, "olist_order_reviews_answered_after_created"),
]
REFERENCES = [
    ("products", "product_category_name", "pc_gamer"),
    ("orders", "customer_id", OTHER),
    ("order_items", "order_id", OTHER),
    ("order_items", "product_id", OTHER),
    ("order_items", "seller_id", OTHER),
    ("order_payments", "order_id", OTHER),
    ("order_reviews", "order_id", OTHER),
]


@pytest.fixture
def cursor(db: None) -> Iterator[CursorWrapper]:
    with connection.cursor() as opened:
        opened.execute("set constraints all immediate")
        yield opened


def insert(cursor: CursorWrapper, table: str, **changed: Any) -> None:
    row = GOOD[table] | changed
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(f"olist_{table}"),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
    )
    cursor.execute(statement, list(row.values()))


def insert_good_rows(cursor: CursorWrapper, *, before: str = "") -> None:
    for table in GOOD:
        if table == before:
            return
        insert(cursor, table)


def constraint_of(error: BaseException) -> str:
    diagnosis: Any = error.__cause__
    return str(diagnosis.diag.constraint_name)


def test_a_good_row_of_every_table_is_stored(cursor: CursorWrapper) -> None:
    insert_good_rows(cursor)


@pytest.mark.parametrize(("table", "name", "value"), CASES)
def test_a_bad_value_is_refused_by_the_database(cursor: CursorWrapper, table: str, name: str, value: Any) -> None:
    insert_good_rows(cursor, before=table)
    with pytest.raises(DatabaseError):
        insert(cursor, table, **{name: value})


@pytest.mark.parametrize(("table", "name", "value", "constraint"), BETWEEN_COLUMNS)
def test_a_rule_between_columns_is_kept_by_the_database(
    cursor: CursorWrapper, table: str, name: str, value: str, constraint: str
) -> None:
    insert_good_rows(cursor, before=table)
    with pytest.raises(IntegrityError) as refused:
        insert(cursor, table, **{name: value})
    assert constraint_of(refused.value) == constraint


def test_a_parcel_may_go_to_the_carrier_before_the_purchase(cursor: CursorWrapper) -> None:
    insert_good_rows(cursor, before="orders")
    insert(cursor, "orders", order_delivered_carrier_date=EARLIER)


@pytest.mark.parametrize(("table", "name", "value"), REFERENCES)
def test_a_missing_parent_is_refused_by_the_database(cursor: CursorWrapper, table: str, name: str, value: str) -> None:
    insert_good_rows(cursor, before=table)
    with pytest.raises(IntegrityError) as refused:
        insert(cursor, table, **{name: value})
    assert "_fk_" in constraint_of(refused.value)


@pytest.mark.parametrize("table", GOOD)
def test_the_same_key_twice_is_refused_by_the_database(cursor: CursorWrapper, table: str) -> None:
    insert_good_rows(cursor)
    with pytest.raises(IntegrityError) as refused:
        insert(cursor, table)
    assert constraint_of(refused.value) in (f"olist_{table}_pkey", f"olist_{table}_key")


def test_every_check_of_the_database_has_a_case_here(cursor: CursorWrapper) -> None:
    """A rule that is added to a model needs a bad value in this file."""
    violated = set()
    bad_values = [(table, name, value) for table, row in GOOD.items() for name in row for value in BAD_VALUES[name]]
    for table, name, value in bad_values:
        cursor.execute("savepoint one_case")
        try:
            insert(cursor, table, **{name: value})
        except DatabaseError as refused:
            violated.add(constraint_of(refused))
        cursor.execute("rollback to savepoint one_case")
    tables = [source.contract.db_table for source in sources()]
    known_checks = "select conname from pg_constraint where contype = 'c' and conrelid::regclass::text = any(%s)"
    cursor.execute(known_checks, [tables])
    assert {name for (name,) in cursor.fetchall()} - violated == set()


def test_the_columns_here_are_those_of_the_models() -> None:
    assert {source.table: set(source.contract.names) for source in sources()} == {
        table: set(row) for table, row in GOOD.items()
    }
    assert {s.table: {c.name for c in s.contract.columns if c.null} for s in sources()} == {
        table: NULLABLE.get(table, set()) for table in GOOD
    }
