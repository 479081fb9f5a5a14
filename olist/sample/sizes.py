"""How many records each table gets."""

from dataclasses import dataclass

from olist.sample import layout

_LEAST_ORDERS = 100  # so that every habit fits
_LEAST_PRODUCTS = 60
_LEAST_SELLERS = 10
_LEAST_POINTS = 400
_FULL_ZIPS = 19_015
_LEAST_ZIPS = 60
_FULL_REPEATED_POINTS = 261_831
_WITHOUT_ITEMS = 775
_WITHOUT_REVIEW = 768
_REVIEWED_TWICE = 551


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Records of each table (``repeated_points``: exact duplicates among ``points``), zip prefixes with a point."""

    orders: int
    orders_without_items: int
    orders_without_review: int
    items: int
    payments: int
    reviews: int
    products: int
    sellers: int
    points: int
    repeated_points: int
    zips: int


def sizes_at(scale: float) -> Sizes:
    """Scale the published numbers of records; a very small scale gets the least in which all habits fit."""
    orders = max(_LEAST_ORDERS, round(layout.ORDERS.full_rows * scale))
    ratio = orders / layout.ORDERS.full_rows
    idle = max(1, round(_WITHOUT_ITEMS * ratio))
    unreviewed = max(1, round(_WITHOUT_REVIEW * ratio))
    points = max(_LEAST_POINTS, round(layout.GEOLOCATION.full_rows * scale))
    return Sizes(
        orders=orders,
        orders_without_items=idle,
        orders_without_review=unreviewed,
        items=max(orders - idle + 3, round(layout.ORDER_ITEMS.full_rows * ratio)),
        payments=max(orders + 1, round(layout.ORDER_PAYMENTS.full_rows * ratio)),
        reviews=orders - unreviewed + max(1, round(_REVIEWED_TWICE * ratio)),
        products=max(_LEAST_PRODUCTS, round(layout.PRODUCTS.full_rows * scale)),
        sellers=max(_LEAST_SELLERS, round(layout.SELLERS.full_rows * scale)),
        points=points,
        repeated_points=round(points * _FULL_REPEATED_POINTS / layout.GEOLOCATION.full_rows),
        zips=max(_LEAST_ZIPS, min(_FULL_ZIPS, round(_FULL_ZIPS * scale))),
    )
