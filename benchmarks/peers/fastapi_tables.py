"""What the FastAPI service knows of each table: its model and key, its references, and its statements."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from psycopg import sql
from pydantic import TypeAdapter

from benchmarks.peers import rules

# Stores what came, in the order of its keys, and returns the keys that were new.
_INSERT = """
insert into {table} ({columns}) select {columns} from {incoming} order by {key} on conflict do nothing returning {key}
"""


@dataclass(frozen=True)
class Table:
    """One table: its Pydantic model, natural key, and its references as column -> (table, key)."""

    name: str
    model: type[rules.Record]
    key: tuple[str, ...]
    references: dict[str, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names in the order of the model's fields."""
        return tuple(self.model.model_fields)

    @cached_property
    def validator(self) -> TypeAdapter[rules.Record]:
        """Validates one record."""
        return TypeAdapter(self.model)

    def places(self, names: Iterable[str]) -> tuple[int, ...]:
        """Where in a row these columns are."""
        return tuple(map(self.columns.index, names))

    def statement(self, text: str) -> sql.Composed:
        """Fill in the names of tables and columns."""
        return sql.SQL(text).format(
            table=sql.Identifier(f"olist_{self.name}"),
            incoming=sql.Identifier(f"incoming_{self.name}"),
            columns=sql.SQL(", ").join(map(sql.Identifier, self.columns)),
            key=sql.SQL(", ").join(map(sql.Identifier, self.key)),
        )

    @cached_property
    def copy(self) -> sql.Composed:
        """Send rows to the temporary table."""
        return self.statement("copy {incoming} ({columns}) from stdin (format binary)")

    @cached_property
    def insert(self) -> sql.Composed:
        """Store them in the order of their keys, so that two batches cannot wait for each other."""
        return self.statement(_INSERT)


ORDER = {"order_id": ("olist_orders", "order_id")}
CATEGORY = {"product_category_name": ("olist_product_category_name_translation", "product_category_name")}
CUSTOMER = {"customer_id": ("olist_customers", "customer_id")}
PARTS = {"product_id": ("olist_products", "product_id"), "seller_id": ("olist_sellers", "seller_id")}
TABLES = {  # parents first
    table.name: table
    for table in (
        Table("product_category_name_translation", rules.Category, ("product_category_name",)),
        Table("geolocation", rules.Geolocation, tuple(rules.Geolocation.model_fields)),
        Table("customers", rules.Customer, ("customer_id",)),
        Table("sellers", rules.Seller, ("seller_id",)),
        Table("products", rules.Product, ("product_id",), CATEGORY),
        Table("orders", rules.Order, ("order_id",), CUSTOMER),
        Table("order_items", rules.OrderItem, ("order_id", "order_item_id"), ORDER | PARTS),
        Table("order_payments", rules.OrderPayment, ("order_id", "payment_sequential"), ORDER),
        Table("order_reviews", rules.OrderReview, ("review_id", "order_id"), ORDER),
    )
}
