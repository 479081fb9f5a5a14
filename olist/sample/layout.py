"""How the publisher writes the nine files, and which values they may hold.

Written down apart from the models on purpose: a sample is a second opinion on the rulebook, so it must not be derived
from it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MAX_INTEGER: Final = 2_147_483_647


class CellKind(StrEnum):
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
class FileColumn:
    """One column: ``null`` where an empty cell is allowed; ``low`` and ``high`` are the ends of an integer."""

    name: str
    kind: CellKind
    null: bool = False
    low: int = 0
    high: int = MAX_INTEGER


@dataclass(frozen=True)
class FileLayout:
    """One table and its file. ``references`` maps a column to the table that must hold its value.

    ``full_rows`` is the published number of records. ``quotes_every_id``: else only those that begin with a digit are.
    """

    name: str
    file_name: str
    full_rows: int
    columns: tuple[FileColumn, ...]
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

    def column(self, name: str) -> FileColumn:
        """Find a column by its name."""
        return next(column for column in self.columns if column.name == name)


def _measure(name: str) -> FileColumn:
    return FileColumn(name, CellKind.INTEGER, null=True)


TRANSLATION = FileLayout(
    "product_category_name_translation",
    "product_category_name_translation.csv",
    71,
    (
        FileColumn("product_category_name", CellKind.LINE),
        FileColumn("product_category_name_english", CellKind.LINE, null=True),
    ),
    ("product_category_name",),
    quotes_header=False,
    bom=b"\xef\xbb\xbf",
    line_end=b"\r\n",
    ends_with_line_end=False,
)
GEOLOCATION = FileLayout(
    "geolocation",
    "olist_geolocation_dataset.csv",
    1_000_163,
    (
        FileColumn("geolocation_zip_code_prefix", CellKind.ZIP),
        FileColumn("geolocation_lat", CellKind.LATITUDE),
        FileColumn("geolocation_lng", CellKind.LONGITUDE),
        FileColumn("geolocation_city", CellKind.LINE),
        FileColumn("geolocation_state", CellKind.STATE),
    ),
    (
        "geolocation_zip_code_prefix",
        "geolocation_lat",
        "geolocation_lng",
        "geolocation_city",
        "geolocation_state",
    ),
)
CUSTOMERS = FileLayout(
    "customers",
    "olist_customers_dataset.csv",
    99_441,
    (
        FileColumn("customer_id", CellKind.ID),
        FileColumn("customer_unique_id", CellKind.ID),
        FileColumn("customer_zip_code_prefix", CellKind.ZIP),
        FileColumn("customer_city", CellKind.LINE),
        FileColumn("customer_state", CellKind.STATE),
    ),
    ("customer_id",),
)
SELLERS = FileLayout(
    "sellers",
    "olist_sellers_dataset.csv",
    3_095,
    (
        FileColumn("seller_id", CellKind.ID),
        FileColumn("seller_zip_code_prefix", CellKind.ZIP),
        FileColumn("seller_city", CellKind.LINE),
        FileColumn("seller_state", CellKind.STATE),
    ),
    ("seller_id",),
)
PRODUCTS = FileLayout(
    "products",
    "olist_products_dataset.csv",
    32_951,
    (
        FileColumn("product_id", CellKind.ID),
        FileColumn("product_category_name", CellKind.LINE, null=True),
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
ORDERS = FileLayout(
    "orders",
    "olist_orders_dataset.csv",
    99_441,
    (
        FileColumn("order_id", CellKind.ID),
        FileColumn("customer_id", CellKind.ID),
        FileColumn("order_status", CellKind.CHOICE),
        FileColumn("order_purchase_timestamp", CellKind.MOMENT),
        FileColumn("order_approved_at", CellKind.MOMENT, null=True),
        FileColumn("order_delivered_carrier_date", CellKind.MOMENT, null=True),
        FileColumn("order_delivered_customer_date", CellKind.MOMENT, null=True),
        FileColumn("order_estimated_delivery_date", CellKind.MOMENT),
    ),
    ("order_id",),
    {"customer_id": "customers"},
)
ORDER_ITEMS = FileLayout(
    "order_items",
    "olist_order_items_dataset.csv",
    112_650,
    (
        FileColumn("order_id", CellKind.ID),
        FileColumn("order_item_id", CellKind.INTEGER, low=1),
        FileColumn("product_id", CellKind.ID),
        FileColumn("seller_id", CellKind.ID),
        FileColumn("shipping_limit_date", CellKind.MOMENT),
        FileColumn("price", CellKind.MONEY),
        FileColumn("freight_value", CellKind.MONEY),
    ),
    ("order_id", "order_item_id"),
    {"order_id": "orders", "product_id": "products", "seller_id": "sellers"},
)
ORDER_PAYMENTS = FileLayout(
    "order_payments",
    "olist_order_payments_dataset.csv",
    103_886,
    (
        FileColumn("order_id", CellKind.ID),
        FileColumn("payment_sequential", CellKind.INTEGER, low=1),
        FileColumn("payment_type", CellKind.CHOICE),
        FileColumn("payment_installments", CellKind.INTEGER),
        FileColumn("payment_value", CellKind.MONEY),
    ),
    ("order_id", "payment_sequential"),
    {"order_id": "orders"},
)
ORDER_REVIEWS = FileLayout(
    "order_reviews",
    "olist_order_reviews_dataset.csv",
    99_224,
    (
        FileColumn("review_id", CellKind.ID),
        FileColumn("order_id", CellKind.ID),
        FileColumn("review_score", CellKind.INTEGER, low=1, high=5),
        FileColumn("review_comment_title", CellKind.PROSE, null=True),
        FileColumn("review_comment_message", CellKind.PROSE, null=True),
        FileColumn("review_creation_date", CellKind.MOMENT),
        FileColumn("review_answer_timestamp", CellKind.MOMENT),
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
