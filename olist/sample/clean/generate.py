"""All nine tables, one after another, each as frames of text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from olist.sample import layout, text
from olist.sample.clean import reviews, sales
from olist.sample.clean.catalogue import build_parties, category_frame, customer_frame, product_frame, seller_frame
from olist.sample.clean.orders import build_orders, order_frame
from olist.sample.clean.world import build_world, geolocation_frames
from olist.sample.layout import FileLayout
from olist.sample.sizes import Sizes
from olist.sample.text import Ints


@dataclass(frozen=True)
class TableFrames:
    """Frames of one table; ``children``: how many records refer to each row, for tables of one frame."""

    table: FileLayout
    frames: Iterator[pd.DataFrame]
    children: Ints | None = None


def generate(seed: int, sizes: Sizes) -> Iterator[TableFrames]:
    """Yield the tables in the order of ``layout.TABLES``; frames are made when they are asked for.

    Every part has a stream of randomness of its own, so that one part's change leaves the others as they were.
    """
    world = build_world(text.generator(seed, 1), sizes)
    parties = build_parties(text.generator(seed, 2), sizes)
    orders = build_orders(text.generator(seed, 3), sizes)
    items = sales.build_items(text.generator(seed, 4), orders, parties, sizes)
    payments = sales.build_payments(text.generator(seed, 5), orders, items, sizes)
    reviewed = reviews.build_reviewed(text.generator(seed, 6), sizes)

    def count(parents: int, *references: Ints) -> Ints:
        return np.sum([np.bincount(reference, minlength=parents) for reference in references], axis=0)

    yield TableFrames(layout.TRANSLATION, iter([category_frame()]))
    yield TableFrames(layout.GEOLOCATION, geolocation_frames(text.generator(seed, 7), world, sizes))
    yield TableFrames(
        layout.CUSTOMERS,
        _one(lambda: customer_frame(text.generator(seed, 8), world, parties)),
        np.ones(sizes.orders, int),
    )
    yield TableFrames(
        layout.SELLERS,
        _one(lambda: seller_frame(text.generator(seed, 9), world, parties)),
        count(sizes.sellers, items.seller),
    )
    yield TableFrames(
        layout.PRODUCTS,
        _one(lambda: product_frame(text.generator(seed, 10), parties)),
        count(sizes.products, items.product),
    )
    yield TableFrames(
        layout.ORDERS,
        _one(lambda: order_frame(orders, parties.customers)),
        count(sizes.orders, items.order, payments.order, reviewed),
    )
    yield TableFrames(layout.ORDER_ITEMS, _one(lambda: sales.item_frame(items, orders, parties)))
    yield TableFrames(layout.ORDER_PAYMENTS, _one(lambda: sales.payment_frame(payments, orders)))
    yield TableFrames(
        layout.ORDER_REVIEWS, _one(lambda: reviews.review_frame(text.generator(seed, 11), orders, reviewed))
    )


def _one(make: Callable[[], pd.DataFrame]) -> Iterator[pd.DataFrame]:
    yield make()
