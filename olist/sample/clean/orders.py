"""Orders and their dates, in seconds since 1970 on Brazil's wall clock."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from olist.sample import layout, text
from olist.sample.sizes import Sizes
from olist.sample.text import Floats, Ints, Mask, Text

STATUSES: Final = (
    "delivered",
    "shipped",
    "canceled",
    "unavailable",
    "invoiced",
    "processing",
    "created",
    "approved",
)
DELIVERED, SHIPPED, CANCELED, UNAVAILABLE, INVOICED, PROCESSING, CREATED, APPROVED = range(len(STATUSES))
_SHARES: Final = {
    SHIPPED: 1_107 / 99_441,
    CANCELED: 625 / 99_441,
    UNAVAILABLE: 609 / 99_441,
    INVOICED: 314 / 99_441,
    PROCESSING: 301 / 99_441,
    CREATED: 5 / 99_441,
    APPROVED: 2 / 99_441,
}
HOUR: Final = 3_600
DAY: Final = 86_400
_FIRST_PURCHASE: Final = 1_475_280_000  # 2016-10-01
_LAST_PURCHASE: Final = 1_535_673_600  # 2018-08-31


@dataclass
class Orders:
    """n orders: status (index into STATUSES), moments, and the masks of those that are not there."""

    ids: Text
    status: Ints
    purchase: Ints
    approved: Ints
    carrier: Ints
    delivered: Ints
    estimated: Ints
    no_approval: Mask
    no_carrier: Mask
    no_delivery: Mask


def build_orders(rng: np.random.Generator, sizes: Sizes) -> Orders:
    """Draw orders whose dates come in their order, then the exceptions that the publisher's data has."""
    count = sizes.orders
    shuffled = rng.permutation(count)
    status = np.full(count, DELIVERED)
    first = 0
    for code, fraction in _SHARES.items():
        last = first + text.share(count, fraction)
        status[shuffled[first:last]] = code
        first = last
    purchase = _FIRST_PURCHASE + ((_LAST_PURCHASE - _FIRST_PURCHASE) * rng.random(count) ** 0.6).astype(np.int64)
    slow = rng.random(count) < 0.25
    approved = purchase + np.where(slow, _hours(rng.uniform(1, 60, count)), _hours(rng.uniform(0.01, 0.5, count)))
    carrier = approved + _hours(rng.lognormal(np.log(43), 0.85, count))
    delivered = carrier + _hours(rng.lognormal(np.log(170), 0.75, count))
    estimated = (purchase // DAY + np.clip(rng.normal(24, 9, count), 2, 150).astype(np.int64)) * DAY
    lost = rng.random(count)
    orders = Orders(
        text.hex_ids(rng, count),
        status,
        purchase,
        approved,
        carrier,
        delivered,
        estimated,
        no_approval=(status == CREATED) | ((status == CANCELED) & (lost < 0.225)),
        no_carrier=~np.isin(status, (DELIVERED, SHIPPED)) & ~((status == CANCELED) & (lost > 0.88)),
        no_delivery=(status != DELIVERED) & ~((status == CANCELED) & (lost > 0.99)),
    )
    _add_exceptions(rng, orders, shuffled[first:])
    return orders


def _add_exceptions(rng: np.random.Generator, orders: Orders, delivered: Ints) -> None:
    """Break what is no rule, in the published shares; ``delivered`` are indices of delivered orders, shuffled."""
    count = len(orders.status)
    taken = 0

    def some(published: int) -> Ints:
        nonlocal taken
        start, taken = taken, taken + text.share(count, published / layout.ORDERS.full_rows)
        return delivered[start:taken]

    def after(rows: Ints, least: float, most: float) -> Ints:
        return _hours(rng.uniform(least, most, len(rows)))

    early = some(166)
    orders.carrier[early] = orders.purchase[early] - after(early, 1, 700)
    unapproved = some(1_193)  # with the early ones, 1,359 were handed over before approval
    orders.approved[unapproved] = orders.carrier[unapproved] + after(unapproved, 0.1, 20)
    orders.delivered[unapproved] = np.maximum(orders.delivered[unapproved], orders.approved[unapproved])
    backwards = some(23)
    orders.carrier[backwards] = orders.delivered[backwards] + after(backwards, 1, 380)
    late = some(61)
    orders.approved[late] = orders.delivered[late] + after(late, 1, 48)
    orders.no_approval[some(14)] = True
    orders.no_carrier[some(2)] = True
    orders.no_delivery[some(8)] = True


def _hours(values: Floats) -> Ints:
    return (values * HOUR).astype(np.int64)


def order_frame(orders: Orders, customers: Text) -> pd.DataFrame:
    """Write the orders; order i belongs to customer i."""
    columns = (
        orders.ids,
        customers,
        text.pick(STATUSES, orders.status),
        text.moments(orders.purchase),
        text.moments(orders.approved, orders.no_approval),
        text.moments(orders.carrier, orders.no_carrier),
        text.moments(orders.delivered, orders.no_delivery),
        text.moments(orders.estimated),
    )
    return text.frame(dict(zip(layout.ORDERS.names, columns, strict=True)))
