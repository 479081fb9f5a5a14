"""How the publisher writes the nine files, and which values they may hold.

Written down apart from the models on purpose: a sample is a second opinion on the rulebook, so it must not be derived
from it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MAX_INTEGER: Final = 2_147_483_647


class Kind(StrEnum):
    """What a column holds."""

    ID = "id"
    ZIP = "zip"
    STATE = "state"
    CHOICE = "choice"
    LINE = "line"
    PROSE = "prose"
    INTEGER = "integer"
    MONEY = "money"
    LATITUDE = "latitude"
    LONGITUDE = "longitude"
    MOMENT = "moment"


@dataclass(frozen=True)
class Column:
    """One column: ``null`` where an empty cell is allowed; ``low`` and ``high`` are the ends of an integer."""

    name: str
    kind: Kind
    null: bool = False
    low: int = 0
    high: int = MAX_INTEGER


@dataclass(frozen=True)
class Table:
    """One table and its file. ``references`` maps a column to the table that must hold its value.

    ``full_rows`` is the published number of records. ``quotes_every_id``: else only those that begin with a digit are.
    """

    name: str
    file_name: str
    full_rows: int
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: dict[str, str] = field(default_factory=dict)
    quotes_every_id: bool = False
    quotes_header: bool = True
    bom: bytes = b""
    line_end: bytes = b"\n"
    ends_with_line_end: bool = True

    @property
    def names(self) -> list[str]:
        """Column names in the file's order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """Find a column by its name."""
        return next(column for column in self.columns if column.name == name)


def _measure(name: str) -> Column:
    return Column(name, Kind.INTEGER, null=True)


TRANSLATION = Table(
    "product_category_name_translation",
    "product_category_name_translation.csv",
    71,
    (Column("product_category_name", Kind.LINE), Column("product_category_name_english", Kind.LINE, null=True)),
    ("product_category_name",),
    quotes_header=False,
    bom=b"\xef\xbb\xbf",
    line_end=b"\r\n",
    ends_with_line_end=False,
)
GEOLOCATION = Table(
    "geolocation",
    "olist_geolocation_dataset.csv",
    1_000_163,
    (
        Column("geolocation_zip_code_prefix", Kind.ZIP),
        Column("geolocation_lat", Kind.LATITUDE),
        Column("geolocation_lng", Kind.LONGITUDE),
        Column("geolocation_city", Kind.LINE),
        Column("geolocation_state", Kind.STATE),
    ),
    (
        "geolocation_zip_code_prefix",
        "geolocation_lat",
        "geolocation_lng",
        "geolocation_city",
        "geolocation_state",
    ),
)
CUSTOMERS = Table(
    "customers",
    "olist_customers_dataset.csv",
    99_441,
    (
        Column("customer_id", Kind.ID),
        Column("customer_unique_id", Kind.ID),
        Column("customer_zip_code_prefix", Kind.ZIP),
        Column("customer_city", Kind.LINE),
        Column("customer_state", Kind.STATE),
    ),
    ("customer_id",),
)
SELLERS = Table(
    "sellers",
    "olist_sellers_dataset.csv",
    3_095,
    (
        Column("seller_id", Kind.ID),
        Column("seller_zip_code_prefix", Kind.ZIP),
        Column("seller_city", Kind.LINE),
        Column("seller_state", Kind.STATE),
    ),
    ("seller_id",),
)
PRODUCTS = Table(
    "products",
    "olist_products_dataset.csv",
    32_951,
    (
        Column("product_id", Kind.ID),
        Column("product_category_name", Kind.LINE, null=True),
        *map(
            _measure,
            (
                "product_name_lenght",
                "product_description_lenght",
                "product_photos_qty",
                "product_weight_g",
                "product_length_cm",
                "product_height_cm",
                "product_width_cm",
            ),
        ),
    ),
    ("product_id",),
)
ORDERS = Table(
    "orders",
    "olist_orders_dataset.csv",
    99_441,
    (
        Column("order_id", Kind.ID),
        Column("customer_id", Kind.ID),
        Column("order_status", Kind.CHOICE),
        Column("order_purchase_timestamp", Kind.MOMENT),
        Column("order_approved_at", Kind.MOMENT, null=True),
        Column("order_delivered_carrier_date", Kind.MOMENT, null=True),
        Column("order_delivered_customer_date", Kind.MOMENT, null=True),
        Column("order_estimated_delivery_date", Kind.MOMENT),
    ),
    ("order_id",),
    {"customer_id": "customers"},
)
ORDER_ITEMS = Table(
    "order_items",
    "olist_order_items_dataset.csv",
    112_650,
    (
        Column("order_id", Kind.ID),
        Column("order_item_id", Kind.INTEGER, low=1),
        Column("product_id", Kind.ID),
        Column("seller_id", Kind.ID),
        Column("shipping_limit_date", Kind.MOMENT),
        Column("price", Kind.MONEY),
        Column("freight_value", Kind.MONEY),
    ),
    ("order_id", "order_item_id"),
    {"order_id": "orders", "product_id": "products", "seller_id": "sellers"},
)
ORDER_PAYMENTS = Table(
    "order_payments",
    "olist_order_payments_dataset.csv",
    103_886,
    (
        Column("order_id", Kind.ID),
        Column("payment_sequential", Kind.INTEGER, low=1),
        Column("payment_type", Kind.CHOICE),
        Column("payment_installments", Kind.INTEGER),
        Column("payment_value", Kind.MONEY),
    ),
    ("order_id", "payment_sequential"),
    {"order_id": "orders"},
)
ORDER_REVIEWS = Table(
    "order_reviews",
    "olist_order_reviews_dataset.csv",
    99_224,
    (
        Column("review_id", Kind.ID),
        Column("order_id", Kind.ID),
        Column("review_score", Kind.INTEGER, low=1, high=5),
        Column("review_comment_title", Kind.PROSE, null=True),
        Column("review_comment_message", Kind.PROSE, null=True),
        Column("review_creation_date", Kind.MOMENT),
        Column("review_answer_timestamp", Kind.MOMENT),
    ),
    ("review_id", "order_id"),
    {"order_id": "orders"},
    quotes_every_id=True,
)
TABLES: Final = (
    TRANSLATION,
    GEOLOCATION,
    CUSTOMERS,
    SELLERS,
    PRODUCTS,
    ORDERS,
    ORDER_ITEMS,
    ORDER_PAYMENTS,
    ORDER_REVIEWS,
)
PARENTS: Final = frozenset({"customers", "sellers", "products", "orders"})
